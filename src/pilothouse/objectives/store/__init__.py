"""All SQL of objectives."""
