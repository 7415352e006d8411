"""Formats of API definitions: a tree or a text in, a Contract out."""
