"""Places elsewhere: the repository that files go to, and issues at GitHub and GitLab."""
