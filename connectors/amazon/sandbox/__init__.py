"""A stand-in of Amazon as a seller's mailbox sees it: real IMAP and SMTP on loopback, and SP-API.

Here: places (marketplaces), wording (what letters say, by language), composing (bytes), author,
buyers_letter, notices, sellers_letter, reports, strangers (the letters), cases and seller (who
writes about what), relay (what becomes of an answer), post (letters on their way), server
(`Sandbox`), acts (orders by HTTP); spapi and its parts, and consents, where both know the same
orders; stories, stage and opening (the first run). Written from what is known of Amazon, apart
from the connector: it shares no code with it, so that a misreading of one does not hide in the
other.
Imported by: tests, and the connector's `spec.sandbox` for the first run. Imports: core.sandbox.
Never: the rest of connectors.amazon, the wall clock, or anything beyond loopback.
"""
