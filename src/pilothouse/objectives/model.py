"""The nouns of objectives."""
