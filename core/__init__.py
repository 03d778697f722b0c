"""core acts: polls, stores, watches, tells, answers, serves.

Here: the common schema, the loops, the store, notices, and the surface for connectors.
Imported by: connectors (the public surface only). Imports: sla.
Never: imports a connector (they arrive by entry points), decides about a deadline (sla does).
"""
