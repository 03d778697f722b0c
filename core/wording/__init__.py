"""What each kind of notice says: `core.words` puts it together."""
