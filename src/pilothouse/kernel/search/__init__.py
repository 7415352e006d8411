"""One index of all that can be found: modules put documents in, the search box asks it."""

from pilothouse.kernel.search.model import Document, Hit
from pilothouse.kernel.search.service import drop, drop_of, everything, find, look_up, put

__all__ = ["Document", "Hit", "drop", "drop_of", "everything", "find", "look_up", "put"]
