"""All of on-call's SQL."""
