"""sla decides: what starts a clock, what stops it, when it is due and why.

Here, each built on those before it:
    zones, table, calendar      working time
    policy                      what was promised, since when, said by whom
    turn                        what goes in: turns, and readings of the marketplace's own dates
    waitings, since, given      one promise through one thread; its start, its deadline as given
    steps, clock                the warnings; `clocks`: turns to clocks
    daybook, wording, case, undone, counting, explain      why a deadline is what it is
    coverage                    when nobody is there to answer before it is due
    contract                    how a promise was kept, as those count who judge by it
    replay                      what another promise would have meant
Imported by: core and connectors. Imports: the standard library, and zone files from tzdata.
Never: reads a clock, a socket, a file or a database; every instant is handed in, aware and UTC.
"""
