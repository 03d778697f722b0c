"""WooCommerce: what buyers remark on their orders, told by webhooks, answered by order notes.

`reading` walks through the orders that changed, `receiving` translates what is pushed, `faults`
says what a WordPress and what stands before it mean by an error; `mapping` is pure. Trap numbers
are README.md's.
"""
