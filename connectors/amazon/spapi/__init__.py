"""Amazon's own API (SP-API), for accounts that have `sp_api`: it reads and answers no message.

Here: the way in (`entry`), how often each call may leave (`pace`), the calls (`calls`), what is
answered (`payload`), orders (`orders`), the nine typed messages (`forms`), Amazon's own numbers
(`performance`, `metrics`), and all of it for one account (`partner`). Nothing about a person is
asked for.
"""
