"""What can be done with checks."""
