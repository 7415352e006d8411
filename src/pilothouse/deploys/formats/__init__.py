"""What others send: bytes in, our nouns out."""
