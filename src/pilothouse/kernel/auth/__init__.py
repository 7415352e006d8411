"""Sign-in: who asks, how long they stay, what they may do."""
