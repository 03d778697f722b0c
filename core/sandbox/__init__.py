"""What the marketplaces' stand-ins share: a loopback server, faults to order, invented people.

Here: serve (the server), faults and spoil (bad days), control (orders by HTTP), people, scene.
Imported by: `connectors/*/sandbox`, tests, and nothing else. Imports: nothing else of ours.
Never: reads the wall clock (a clock is handed in), listens beyond loopback, knows a marketplace.
"""
