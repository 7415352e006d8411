"""The nouns of apis."""
