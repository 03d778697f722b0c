"""How often Python looks for cycles: ours are few, and a page makes thousands of objects."""

from __future__ import annotations

import gc

THRESHOLDS = (100_000, 20, 50)
"""Of new objects, and of looks at the younger ones.

More than the pages that are read side by side hold at a time: none of these ends up in a cycle, and
a look at them all costs as much as a tenth of reading and storing (Python's own 700, 10, 10: a
sixth). An idle daemon makes no cycles at all, so that nothing piles up until the next look.
"""


def settle() -> None:
    """Keep what is loaded by now out of every later look, and look more rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
