"""Configurations of other programs, read as documents of ours."""
