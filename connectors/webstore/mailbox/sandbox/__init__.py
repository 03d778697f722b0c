"""A stand-in of a shop's mailbox: real IMAP and SMTP on loopback, and the people who write there.

Here: letters (what they write, as bytes), shop (who writes about what, and what becomes of an
answer), server (`Sandbox`), acts (orders by HTTP), stage and opening (the first run). Written from
what mail programs, forms and servers do, apart from the connector: it shares no code with it, so
that a misreading of one does not hide in the other.
Imported by: tests, and the kind's `sandbox` for the first run. Imports: core.sandbox. Never: the
rest of the kind, the wall clock, or anything beyond loopback.
"""
