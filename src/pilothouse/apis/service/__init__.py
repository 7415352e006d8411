"""What can be done with definitions: keep them readable, tell what changed."""
