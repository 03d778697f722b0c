"""A stand-in of Mirakl's seller API: a real server on loopback, for tests and the first run.

Here: market (operators, shops, keys, orders), inbox (threads and what people do in them), payload
(to JSON), threads_api, orders_api, account_api (the calls), server (`Sandbox`), opening (the first
run). Written from what Mirakl documents, apart from the connector: it shares no code with it, so
that a misreading of one does not hide in the other.
Imported by: tests, and the connector's `spec.sandbox` for the first run. Imports: core.sandbox.
Never: the rest of connectors.mirakl, the wall clock, or anything beyond loopback.
"""
