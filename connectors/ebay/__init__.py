"""eBay: conversations, dossiers with the dates that eBay gives, and pushes."""
