"""Decisions about the watch and about pages: pure, `now` is an argument."""
