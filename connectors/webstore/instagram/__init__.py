"""A professional profile at Instagram; see `connectors.webstore.meta.pages`."""
