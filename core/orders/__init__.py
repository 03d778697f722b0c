"""Orders beside their threads: what the marketplace says of them, what is done about them."""
