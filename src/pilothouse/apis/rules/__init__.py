"""Decisions about definitions: what differs, how much it weighs, how it is shown."""
