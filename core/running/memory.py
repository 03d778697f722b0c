"""How often Python looks for cycles: ours are few, and a page makes thousands of objects."""

from __future__ import annotations

import gc

THRESHOLDS = (10_000, 20, 50)
"""Of new objects, and of looks at the younger ones; Python's own (700, 10, 10) took a sixth of the
processor time of reading and storing."""


def settle() -> None:
    """Keep what is loaded by now out of every later look, and look more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
