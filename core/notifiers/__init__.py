"""Ways of telling a person: one file each, found by their kind in `core.notifiers.registry`."""
