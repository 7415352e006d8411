"""What of sign-in is not in the database: providers on the network, the key in a file."""
