"""The tables of apis, and all SQL on them."""
