"""A stand-in of eBay: servers on loopback, one for each host, and pushes that it signs.

Here: market (members, sellers, applications, what they bought), access (who may call what, and
eBay's errors), oauth (tokens), conversations (a mailbox of any size), payload (to JSON), server
(`Sandbox`). Written from what is known of eBay, apart from the connector: it shares no code with
it, so that a misreading of one does not hide in the other.
Imported by: tests, and the connector's `spec.sandbox` for the first run. Imports: core.sandbox.
Never: the rest of connectors.ebay, the wall clock, or anything beyond loopback.
"""
