"""The world outside: files, providers."""
