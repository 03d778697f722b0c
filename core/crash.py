"""Where a bug is, for the log: its text may quote a buyer, its places never do."""

from __future__ import annotations

import traceback

FRAMES = 6


def places(bug: BaseException) -> list[str]:
    """Where *bug* came through, the innermost place last."""
    frames = traceback.extract_tb(bug.__traceback__)[-FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
