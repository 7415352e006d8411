"""What can be done with objectives."""
