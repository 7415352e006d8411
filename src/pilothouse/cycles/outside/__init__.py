"""What the calendar reads beside the database."""
