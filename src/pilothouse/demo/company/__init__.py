"""The company's own programs. They know nothing of Pilothouse but its public addresses."""
