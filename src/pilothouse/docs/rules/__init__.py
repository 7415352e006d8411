"""Decisions of docs: what belongs to which entity, where links lead, what is stale. Pure."""
