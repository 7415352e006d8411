"""The nouns of docs."""
