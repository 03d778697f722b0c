"""Shopify: what buyers remark on orders, and disputes with their dates; answered by mail.

`reading` walks through orders and disputes, `receiving` takes what is pushed, `mapping` and
`disputes` are pure. Trap numbers are README.md's.
"""
