"""Incidents: what is broken, what changed, what was learned, and that it gets done."""
