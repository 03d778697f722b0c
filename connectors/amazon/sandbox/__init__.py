"""A stand-in of Amazon as a seller's mailbox sees it: real IMAP and SMTP on loopback.

Here: places (marketplaces), wording (what Amazon's letters say, by language), composing (bytes),
buyers_letter, notices, reports, strangers (the letters), seller and cases (who writes about what),
relay (what becomes of an answer), post (letters on their way), server (`Sandbox`), opening (the
first run). Written from what is known of Amazon, apart from the connector: it shares no code with
it, so that a misreading of one does not hide in the other.
Imported by: tests, and the connector's `spec.sandbox` for the first run. Imports: core.sandbox.
Never: the rest of connectors.amazon, the wall clock, or anything beyond loopback.
"""
