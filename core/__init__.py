"""core acts: polls, stores, watches, tells, answers, serves.

Here: the common schema, the loops, the store, notices, and the surface for connectors. What a loop
is made of stands in a room beside it: configuration/ (settings.py), reading/ (poll.py), arrival/
(ingest.py), measuring/ (metrics.py), running/ (daemon.py), commands/ (cli.py).
Imported by: connectors (the public surface only). Imports: sla.
Never: imports a connector (they arrive by entry points), decides about a deadline (sla does).
"""
