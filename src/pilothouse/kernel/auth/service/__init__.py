"""What can be done with people, sessions and tokens; each in its caller's transaction."""
