"""What can be done with the watch and with pages. Each function is one transaction's worth."""
