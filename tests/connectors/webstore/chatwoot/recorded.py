"""Chatwoot's answers and pushes as they come, with invented people."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "recorded"


def told(name):
    """The recorded answer *name*, decoded."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
