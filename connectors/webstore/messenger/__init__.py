"""A Facebook page at Messenger; all but its options stands in `connectors.webstore.meta.pages`."""
