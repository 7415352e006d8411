"""The nouns of deploys."""
