"""Files of others: Markdown, its front matter, mkdocs.yml, decisions. Bytes in, model out; pure."""
