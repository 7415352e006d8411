"""What is deployed where, since when, by whom; and how often."""
