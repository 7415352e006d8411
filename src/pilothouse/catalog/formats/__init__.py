"""Reading other people's formats: bytes and strings in, the catalog's nouns out. Pure."""
