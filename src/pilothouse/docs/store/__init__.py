"""All SQL of docs."""
