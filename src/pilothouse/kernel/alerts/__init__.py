"""Alerts: the words for trouble that any module may raise, and who is told of it."""
