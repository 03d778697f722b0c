"""How connectors and notifiers reach the world; the only place with short retries."""
