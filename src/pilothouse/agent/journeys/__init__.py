"""A browser walks a path: one child process a walk, watched from outside (docs/journeys.md)."""
