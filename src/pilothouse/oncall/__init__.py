"""On call: who has the watch, and pages that cannot be lost."""
