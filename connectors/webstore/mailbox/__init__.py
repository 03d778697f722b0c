"""The shop's own mailbox: what buyers write by mail and by contact form, and what is answered.

What a letter is say `sorts` (with `proof` and `operators`), which conversation it belongs to
`joining` (with `memory`, which stands in the cursor), what comes of it `mapping`; `answering` is
the letter that leaves. All of these are pure; `connector` reads and sends. Trap numbers are those
of README.md.
"""
