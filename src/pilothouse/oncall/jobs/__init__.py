"""Background work of on-call."""
