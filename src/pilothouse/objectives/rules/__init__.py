"""Decisions about objectives: pure, `now` is an argument."""
