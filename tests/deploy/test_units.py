"""The systemd unit: sound, hardened, and the daemon works under it and says how it is."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.web.ops import STUCK_AFTER
from tests.deploy import confined, premises

ROOT = premises.ROOT
UNIT = ROOT / "deploy" / "systemd" / "replyby.service"
TEXT = UNIT.read_text()
PROGRAM = "/opt/replyby/bin/replyby"
SETTINGS = """
[store]
dsn = "embedded"
state_dir = "state/var"
[ops]
listen = "127.0.0.1:0"
[notifiers.log]
kind = "file"
path = "state/notices.jsonl"
[routes.all]
notifiers = ["log"]
fallback = true
"""
WHERE = re.compile(r"metrics +http://(127\.0\.0\.1:\d+)/metrics")

pytestmark = pytest.mark.needs("systemd-analyze")


def settled(key):
    return confined.settings(TEXT, key)


@pytest.fixture
def unit(tmp_path):
    """The unit as it is installed, but for where the program lies: `verify` looks for it."""
    program = Path(sys.executable).with_name("replyby")
    (tmp_path / UNIT.name).write_text(TEXT.replace(PROGRAM, str(program)))
    return tmp_path / UNIT.name


def analyzed(*arguments):
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )


def test_the_unit_is_sound(unit):
    done = analyzed("verify", unit)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_line_that_systemd_does_not_know_is_found(unit):
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))

    assert "ProtectHouse" in analyzed("verify", unit).stderr


def test_the_unit_is_hardened(unit):
    done = analyzed("security", "--offline=true", "--threshold=20", unit)

    assert done.returncode == 0, done.stdout


def test_a_unit_that_gives_up_its_hardening_is_found(unit):
    soft = re.sub(r"(?m)^(Protect|Private|Restrict|SystemCall|Capability|NoNew).*\n", "", TEXT)
    unit.write_text(soft.replace("DynamicUser=yes\n", ""))

    assert analyzed("security", "--offline=true", "--threshold=20", unit).returncode != 0


def test_what_is_run_is_what_the_program_understands():
    assert settled("ExecStart") == [f"{PROGRAM} run"]
    assert settled("ExecStartPre") == [f"-{PROGRAM} migrate"]
    assert settled("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert settled("RestartPreventExitStatus") == ["2"]  # docs/cli.md: nothing was started
    assert settled("KillMode") == ["mixed"]


def test_the_watchdog_is_fed_far_more_often_than_it_asks_and_a_stuck_loop_starves_it():
    (seconds,) = settled("WatchdogSec")

    assert int(seconds) >= 30
    assert int(seconds) < STUCK_AFTER  # systemd's and /livez's judgement are of one size


def test_trap_the_processs_own_metrics_need_more_of_proc_than_its_processes():
    """prometheus_client leaves out all of process_* where it cannot read /proc/stat."""
    assert settled("ProcSubset") in ([], ["all"])


def test_every_secret_of_the_settings_is_loaded_by_the_unit():
    text = (ROOT / "deploy" / "etc" / "settings.toml").read_text()
    asked = re.findall(r'(?m)^[^#]*"credential:(\w+)"', text)

    assert asked == [line.partition(":")[0] for line in settled("LoadCredential")]
    assert f'state_dir = "/var/lib/{settled("StateDirectory")[0]}"' in text


@pytest.fixture(scope="module")
def machine(long_place):
    """The daemon's place, with the unit and the sets of system calls that it names."""
    place = long_place / "unit"
    place.mkdir()
    if os.geteuid() == 0 and not premises.may_mount():
        pytest.skip("as root, and nothing may be mounted here: the unit's user is nobody")
    here = premises.Premises(place)
    here.prepare()
    (place / "settings.toml").write_text(SETTINGS)
    (place / "sets").write_text(analyzed("syscall-filter").stdout)
    shutil.copy(UNIT, place / "unit")
    shutil.copy(confined.__file__, place / "confined.py")
    return here


def under_the_unit(here, *command):
    """*command* under the unit's filters, as nobody, on a root that cannot be written to."""
    place = here.place
    filtered = (str(place / "confined.py"), str(place / "unit"), str(place / "sets"))
    return here.closed(str(here.python), *filtered, str(here.python), *command)


def environ(here, **more):
    inherited = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return {**inherited, **here.environ(), **here.as_tested(), **more}


def tried(here, code):
    return subprocess.run(
        under_the_unit(here, "-c", code), cwd=here.state, env=environ(here),
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import mmap; mmap.mmap(-1, 4096, prot=7)", "Operation not permitted"),
        ("import socket; socket.socket(socket.AF_NETLINK)", "Address family not supported"),
        ("import os; os.setpriority(os.PRIO_PROCESS, 0, 5)", "Operation not permitted"),
        ("import os; os.chroot('/')", "Operation not permitted"),
    ],
)
@pytest.mark.needs("unshare", "setpriv")
def test_the_filters_of_the_unit_hold(machine, code, fault):
    assert fault in tried(machine, code).stderr


class Systemd:
    """The socket that the daemon tells how it is, as systemd listens at it."""

    def __init__(self, path):
        self.address = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        path.chmod(0o666)
        self._socket.settimeout(60)

    def close(self):
        self._socket.close()

    def hears(self, *fields):
        """Wait for a message with these fields; what it says."""
        while True:
            said = dict(f.split("=", 1) for f in self._socket.recv(4096).decode().splitlines())
            if said.keys() >= set(fields):
                return said


@contextmanager
def daemon(here, systemd):
    settings = str(here.place / "settings.toml")
    with (here.place / "log").open("wb") as log:
        process = subprocess.Popen(
            under_the_unit(here, "-m", "core", "run", "--settings", settings),
            cwd=here.state, env=environ(here, NOTIFY_SOCKET=systemd.address),
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def systemd(machine):
    (machine.place / "notify").unlink(missing_ok=True)
    listening = Systemd(machine.place / "notify")
    yield listening
    listening.close()


@pytest.mark.needs("unshare", "setpriv")
def test_under_the_unit_the_daemon_and_its_embedded_database_work_and_tell_systemd(
    machine, systemd
):
    with daemon(machine, systemd) as process:
        assert systemd.hears("READY")["STATUS"] == "0 accounts"
        address = next(found[1] for line in process.stdout if (found := WHERE.search(line)))
        healthy = subprocess.run(
            [sys.executable, "-m", "core", "healthcheck"], cwd=ROOT, capture_output=True, text=True,
            env={**os.environ, "REPLYBY_OPS__LISTEN": address}, check=False,
        )  # fmt: skip
        assert (healthy.returncode, healthy.stdout) == (0, "alive and ready\n")
        assert systemd.hears("WATCHDOG") == {"WATCHDOG": "1"}

        process.send_signal(signal.SIGHUP)
        since = int(systemd.hears("RELOADING")["MONOTONIC_USEC"])
        assert 0 < since < 2**63
        assert systemd.hears("READY")["READY"] == "1"

        process.send_signal(signal.SIGTERM)
        assert systemd.hears("STOPPING") == {"STOPPING": "1"}
        process.wait(30)

    logged = (machine.place / "log").read_text()
    assert process.returncode == 0, logged
    said = [json.loads(line) for line in logged.splitlines()]
    doubts = {one["event"] for one in said if one["level"] in {"warning", "error"}}
    assert doubts == {"settings could be wiser"}  # there is no account
