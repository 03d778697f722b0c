"""Dossiers after a sale: what eBay asks of a seller, and until when it says so itself.

`payload` is what arrives; `inquiries`, `returns`, `cancellations`, `cases` (with what the first and
the last share, `claims`) and `disputes` make a `dossier` of it, each kind with its own words: all
pure. `sources` says where each kind is read, `walk` where a walk is, `reading` walks and looks,
`answering` writes.
"""
