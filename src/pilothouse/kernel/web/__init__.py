"""The web side of the kernel: the page frame, errors, permissions, health, live updates."""
