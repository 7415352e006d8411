"""Vitals: what real users feel."""
