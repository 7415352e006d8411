"""Decisions about checks: whose turn it is, what results mean together, what is told of it."""
