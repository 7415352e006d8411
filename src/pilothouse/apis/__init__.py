"""API definitions as a reference to read, and what changed in them."""
