"""A stand-in of Chatwoot: a real server on loopback, for tests and the first run.

Here: desk (accounts, inboxes, agents), chats (conversations and what people do in them), payload
(to JSON), access (tokens, errors), conversations_api, webhooks_api (the calls), deliveries (pushes
on their way), page (what people see), acts (orders), server (`Sandbox`), stage and opening (the
first run). Written from what Chatwoot documents and from its source, apart from the connector: it
shares no code with it, so that a misreading of one does not hide in the other.
Imported by: tests, and the kind's `sandbox` for the first run. Imports: core.sandbox.
Never: the rest of connectors.webstore, the wall clock, or anything beyond loopback.
"""
