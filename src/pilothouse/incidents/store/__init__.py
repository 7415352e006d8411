"""All SQL of incidents, and their tables."""
