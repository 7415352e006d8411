"""What is not a decision: drawing pages, processes that do it, folders, buckets."""
