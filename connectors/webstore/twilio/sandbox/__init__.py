"""A stand-in of Twilio: a real server on loopback, for tests and the first run.

Here: desk (accounts, numbers, what is kept), messaging and telephony (what people do), payload (to
JSON), access (keys, errors, pages), rest (the calls), callbacks (pushes on their way), acts
(orders), server (`Sandbox`), stage and opening (the first run). Written from what Twilio documents,
apart from the connector: it shares no code with it, so that a misreading of one does not hide in
the other.
Imported by: tests, and the kind's `sandbox` for the first run. Imports: core.sandbox.
Never: the rest of connectors.webstore, the wall clock, or anything beyond loopback.
"""
