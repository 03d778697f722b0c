"""Chatwoot: live chat, and through it a shop's chat widget; self-hosted or in its cloud.

Polling is the truth: conversations by their last activity (`reading`), messages of those that
changed (`mapping` translates). A webhook is a hint that comes sooner (`receiving`); whether it is
still registered is asked every hour (`registered`), and `subscribing` sets it up. `entry` declares.
"""
