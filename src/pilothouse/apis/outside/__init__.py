"""Files that a command is given."""
