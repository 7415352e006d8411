"""The nouns of checks: documents, plans, results, verdicts."""
