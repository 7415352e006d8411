"""The nouns of objectives: documents as people write them, and what is made of them."""
