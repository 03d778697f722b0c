"""BigCommerce: messages about orders, read by its API, told by its webhook, answered by mail.

`reading` walks through the orders that changed, `receiving` reads the one that a webhook names,
`mapping` is pure. Trap numbers are README.md's.
"""
