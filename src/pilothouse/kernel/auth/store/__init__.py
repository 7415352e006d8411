"""The SQL of sign-in."""

from pilothouse.kernel.auth.store import deeds, people, sessions, tables, tokens

__all__ = ["deeds", "people", "sessions", "tables", "tokens"]
