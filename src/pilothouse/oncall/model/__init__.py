"""The nouns of on-call."""
