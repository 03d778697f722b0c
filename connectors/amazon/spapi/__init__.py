"""Amazon's own API (SP-API), for accounts that have `sp_api`: it reads and answers no message.

Here: regions and entry (`entry`), how often each call may leave (`pace`), the calls (`calls`), what
is answered (`payload`), orders (`orders`), the typed messages (`kinds`), the report of Amazon's own
numbers (`report`), and all of it for one account (`partner`). Nothing about a person is asked for.
"""
