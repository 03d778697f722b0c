"""Dossiers after a sale: what eBay asks of a seller, and until when it says so itself.

`payload` is what arrives; `inquiries`, `returns`, `cancellations`, `cases` and `disputes` make a
`dossier` of it, each kind with its own words; `reading` walks the searches, `answering` writes.
"""
