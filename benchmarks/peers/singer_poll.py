"""Peer: a Singer tap piped into target-postgres, upserting, loaded by COPY.

    API_URL=.. PGHOST=.. PGPORT=.. PGUSER=.. PGPASSWORD=.. PGDATABASE=.. STATE_DIR=..
    python singer_poll.py

Prints one line of JSON; a second run with the same STATE_DIR reads what is new. It runs in an
environment of its own, with target-postgres beside its Python.
"""

# It runs without psutil's types.
# mypy: ignore-errors

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter, sleep

import psutil

STATE = Path(os.environ["STATE_DIR"])
HERE, PROGRAMS = Path(__file__).parent, Path(sys.executable).parent


def configured() -> tuple[Path, Path]:
    tap, target = STATE / "tap.json", STATE / "target.json"
    tap.write_text(json.dumps({"api_url": os.environ["API_URL"]}))
    told = {
        "host": os.environ["PGHOST"],
        "port": int(os.environ["PGPORT"]),
        "user": os.environ["PGUSER"],
        "password": os.environ["PGPASSWORD"],
        "database": os.environ["PGDATABASE"],
        "default_target_schema": "singer_peer",
        "load_method": "upsert",
        "use_copy": True,
        "dialect+driver": "postgresql+psycopg",
    }
    target.write_text(json.dumps(told))
    return tap, target


def main() -> None:
    tap_settings, target_settings = configured()
    state, said = STATE / "state.json", STATE / "state.out"
    known = ["--state", str(state)] if state.exists() else []
    began = perf_counter()
    with said.open("w") as out, (STATE / "log").open("a") as log:
        tap = subprocess.Popen(
            [sys.executable, str(HERE / "singer_tap.py"), "--config", str(tap_settings), *known],
            stdout=subprocess.PIPE,
            stderr=log,
        )
        target = subprocess.Popen(
            [str(PROGRAMS / "target-postgres"), "--config", str(target_settings)],
            stdin=tap.stdout,
            stdout=out,
            stderr=log,
        )
        tap.stdout.close()
        memory, cpu = watched(tap, target)
    seconds = perf_counter() - began
    if tap.wait() or target.wait():
        sys.exit((STATE / "log").read_text()[-2000:])
    if lines := said.read_text().split("\n")[:-1]:
        state.write_text(lines[-1])
    print(json.dumps({"seconds": seconds, "cpu": cpu, "rss": memory}))


def watched(*running: subprocess.Popen) -> tuple[float, float]:
    """The most memory of all together (MiB), and their processor time, when they have ended."""
    most, spent = 0.0, {}
    ended = threading.Thread(target=lambda: [one.wait() for one in running])
    ended.start()
    while ended.is_alive():
        memory = 0.0
        for one in running:
            try:
                process = psutil.Process(one.pid)
                memory += process.memory_info().rss / 2**20
                spent[one.pid] = sum(process.cpu_times()[:2])
            except psutil.Error:
                continue
        most = max(most, memory)
        sleep(0.1)
    return most, sum(spent.values())


if __name__ == "__main__":
    main()
