"""What can be done with docs. Each function is one transaction's worth of work."""
