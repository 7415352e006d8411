"""Decisions of the copy: names, links, what is private, what is drawn again."""
