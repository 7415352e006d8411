"""Docs beside the code, runbooks, and the archive of decisions."""
