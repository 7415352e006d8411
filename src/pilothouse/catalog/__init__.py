"""The catalog: every service, who owns it and what it touches, as the files in git say."""
