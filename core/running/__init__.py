"""What daemon.py is made of: its loops, worker, state, signals, stand-ins, checks at the start."""
