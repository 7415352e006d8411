"""`pilothouse demo`: a small company that really runs, and that can be broken."""
