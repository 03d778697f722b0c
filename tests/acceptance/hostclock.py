"""A wall clock that can be set for a process, by Debian's faketime; monotonic time stays true."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A wall clock for whoever runs with *environ*; `jump` moves it against the true time."""

    def __init__(self, place: Path) -> None:
        self._file = place / "clock"
        self.jump(0)
        told = subprocess.run(
            ["faketime", "-m", "-f", "+0", "env"], check=True, capture_output=True, text=True
        )
        environ = dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)
        self.environ = {
            "LD_PRELOAD": environ["LD_PRELOAD"],
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # Else a thread that waits for the interpreter's lock sleeps for seconds, not for 5 ms.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }

    def jump(self, seconds: int) -> None:
        aside = self._file.with_suffix(".new")
        aside.write_text(f"{seconds:+}")
        aside.rename(self._file)
