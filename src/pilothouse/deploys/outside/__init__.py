"""Sources that are asked for commits, and servers that deployments are sent to."""
