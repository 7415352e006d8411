"""Measurements: what was measured, as sketches an hour and a day wide; see ADR 0012."""
