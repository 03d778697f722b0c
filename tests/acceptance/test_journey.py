"""The daemon as a process, through the whole journey: message in, notice out, on bad days too."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from core.loops import utcnow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.serial, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Shop:
    """A directory with the settings as shipped, its own port, and the daemon that runs there."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        shutil.copy(ROOT / "settings.toml", place / "settings.toml")
        self.environ = {**os.environ, "REPLYBY_OPS__LISTEN": f"127.0.0.1:{self.port}"}
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        with (self.place / "out.log").open("ab") as out:
            self.daemon = subprocess.Popen(
                [sys.executable, "-m", "core", "run", "--sandbox"],
                cwd=self.place, env=self.environ, stdout=out, stderr=out,
            )  # fmt: skip
        self.until(lambda: self.get("/readyz")[0] == 200, 60)
        return self.daemon

    def stop(self) -> None:
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(15)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as fault:
            return fault.code, fault.read().decode()
        except OSError:
            return 0, ""

    def until(self, holds: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert self.daemon is not None
            assert self.daemon.poll() is None, self.log()[-3000:]
            assert time.monotonic() < end, self.log()[-3000:]
            time.sleep(0.2)

    def total(self, name: str, **labels: str) -> float:
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        return sum(
            float(found["value"])
            for found in SAMPLE.finditer(self.get("/metrics")[1])
            if found["name"] == name and wanted <= set((found["labels"] or "").split(","))
        )

    def notices(self) -> list[dict[str, object]]:
        file = self.place / "var" / "notices.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def told(self) -> Counter[object]:
        return Counter(notice["kind"] for notice in self.notices())

    def command(self, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "core", *args],
            cwd=self.place, env={**self.environ, **more},
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def log(self) -> str:
        return (self.place / "out.log").read_text(errors="replace")


@contextmanager
def shop_at(place: Path) -> Iterator[Shop]:
    shop = Shop(place)
    try:
        yield shop
    finally:
        shop.stop()


@pytest.fixture
def shop(place) -> Iterator[Shop]:
    with shop_at(place) as found:
        yield found


def journeyed(shop: Shop) -> bool:
    met = shop.total("replyby_clocks_closed_total", result="met")
    breached = shop.total("replyby_clocks_closed_total", result="breached")
    told = shop.told()
    return bool(met and breached and told["warning"] and told["breach"])


def test_a_first_run_shows_clocks_met_warned_and_broken_within_a_minute_and_survives(shop):
    shop.start()
    shop.until(lambda: journeyed(shop), 60)
    before = {
        result: shop.total("replyby_clocks_closed_total", result=result)
        for result in ("met", "breached")
    }
    kill_without_warning(shop)
    keys_before = {notice["key"] for notice in shop.notices()}

    shop.start()
    for result, n in before.items():
        assert shop.total("replyby_clocks_closed_total", result=result) >= n
    shop.until(lambda: len({n["key"] for n in shop.notices()}) > len(keys_before), 70)
    stop_politely(shop)

    keys = Counter(notice["key"] for notice in shop.notices())
    twice = {key for key, n in keys.items() if n > 1}
    assert keys_before <= set(keys)
    assert len(twice) <= 1, "only what left in the instant of the kill may leave again"


def kill_without_warning(shop: Shop) -> None:
    assert shop.daemon is not None
    family = psutil.Process(shop.daemon.pid).children(recursive=True)
    shop.daemon.kill()
    shop.daemon.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == [], "nothing of the daemon outlives it"


def stop_politely(shop: Shop) -> None:
    assert shop.daemon is not None
    began = time.monotonic()
    shop.daemon.send_signal(signal.SIGTERM)
    assert shop.daemon.wait(10) == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in shop.log()


def test_every_command_works_beside_the_running_daemon(shop):
    shop.start()
    shop.until(lambda: shop.total("replyby_open_clocks") > 0, 30)

    assert shop.command("healthcheck").returncode == 0
    rows = json.loads(shop.command("threads", "--json").stdout)
    account, thread = rows[0]["account"], rows[0]["thread"]

    why = shop.command("explain", account, thread)
    assert why.returncode == 0, why.stderr
    assert "ours-1m" in why.stdout

    answer = shop.command("reply", account, thread, "--text", "It leaves the house today.")
    assert answer.returncode == 0, answer.stderr
    shop.until(lambda: answered(shop, account, thread), 30)

    other = next(row for row in rows if row["thread"] != thread)
    assert shop.command("mark", other["account"], other["thread"], "decided").returncode == 0
    third = next(r for r in rows if r["thread"] not in {thread, other["thread"]})
    at = (utcnow() - timedelta(seconds=1)).isoformat()
    done = shop.command("answered", third["account"], third["thread"], "--at", at)
    assert done.returncode == 0, done.stderr

    assert shop.command("poll", account, "--once").returncode == 0
    assert shop.command("check", "--sandbox").returncode == 0
    assert shop.command("notices", "list").returncode == 0
    assert shop.command("set-aside", "list").returncode == 0
    assert shop.command("notify", "--test", "desk").returncode == 0
    shop.until(lambda: shop.told()["test"] >= 1, 20)


def answered(shop: Shop, account: str, thread: str) -> bool:
    rows = json.loads(shop.command("threads", "--json").stdout)
    return not [
        r for r in rows
        if (r["account"], r["thread"], r["promise"]) == (account, thread, "ours-1m")
    ]  # fmt: skip


def test_a_command_brings_the_database_along_when_no_daemon_runs(shop):
    shop.start()
    shop.until(lambda: shop.total("replyby_open_clocks") > 0, 30)
    stop_politely(shop)

    listed = shop.command("threads", "--json")

    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)


def test_a_second_daemon_on_the_same_directory_is_refused_in_one_sentence(shop):
    shop.start()
    assert shop.daemon is not None

    second = shop.command("run", "--sandbox", REPLYBY_OPS__LISTEN=f"127.0.0.1:{free_port()}")

    assert second.returncode != 0
    assert str(shop.daemon.pid) in second.stderr + second.stdout
    assert "Traceback" not in second.stderr + second.stdout


def test_settings_that_cannot_be_used_start_nothing(shop):
    (shop.place / "settings.toml").write_text('[store]\ndsn = "embedded"\nstate_dri = "x"\n')

    done = shop.command("run", "--sandbox")

    assert done.returncode == 2
    assert "store.state_dri" in done.stderr
    assert not (shop.place / "var").exists()
