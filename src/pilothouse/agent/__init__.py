"""The agent: visits what checks are about from one location, and reports back. No database."""
