"""All SQL of deployments."""
