"""What can be done with vitals."""
