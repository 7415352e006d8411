"""The copy that survives: the whole portal as plain files that open without it."""
