"""Decisions about deployments."""
