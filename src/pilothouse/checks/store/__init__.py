"""All SQL of checks."""
