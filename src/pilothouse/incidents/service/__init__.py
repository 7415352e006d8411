"""What can be done with incidents: one transaction's worth each."""
