"""Measurements: numbers at instants, kept as mergeable sketches by hour and by day."""
