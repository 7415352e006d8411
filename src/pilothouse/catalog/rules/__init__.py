"""What the catalog decides: pure functions over documents, bodies and claims."""
