"""Where catalog files come from: folders, git repositories and what watches them."""
