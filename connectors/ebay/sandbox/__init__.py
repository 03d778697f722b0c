"""A stand-in of eBay: servers on loopback, one for each host, and pushes that it signs.

Here: market (members, sellers, what they bought), applications (consents, tokens, quotas), access
(who may call what, and eBay's errors), oauth; conversations (a mailbox of any size), payload,
writing and messages_api (the Message API); topics, destinations, signing, pushes and
notification_api (what is pushed); small_apis (limits, identity, pictures); dossiers, a module for
each kind, desk, searches, postorder and disputes_api (what follows a sale); exchanges and trading
(the Trading API); server (`Sandbox`), acts (orders by HTTP), stories, stage and opening (the first
run). Written from what is known of eBay, apart from the connector: it shares no code with it, so
that a misreading of one does not hide in the other.
Imported by: tests, and the connector's `spec.sandbox` for the first run. Imports: core.sandbox.
Never: the rest of connectors.ebay, the wall clock, or anything beyond loopback.
"""
