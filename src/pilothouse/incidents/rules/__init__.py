"""What incidents decide: pure functions."""
