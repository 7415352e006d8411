"""Cycles: the calendar that the company works by."""
