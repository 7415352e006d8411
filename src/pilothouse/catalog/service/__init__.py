"""What can be done with the catalog. Each function is one transaction's worth of work."""
