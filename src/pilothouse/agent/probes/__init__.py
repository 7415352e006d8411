"""One file for each type of check: visits once, measures every phase, never raises."""
