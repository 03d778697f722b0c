"""sla decides: what starts a clock, what stops it, when it is due and why.

Here: calendar (working time), policy (what was promised), clock (turns to clocks), explain (why).
Imported by: core and connectors. Imports: the standard library, and zone files from tzdata.
Never: reads a clock, a socket, a file or a database; every instant is handed in, aware and UTC.
"""
