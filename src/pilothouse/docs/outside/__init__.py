"""Files of sources, and the file of a new decision."""
