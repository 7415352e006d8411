"""The nouns of vitals."""
