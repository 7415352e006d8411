"""Objectives: what was promised, how much of it is left, and how fast it is spent."""
