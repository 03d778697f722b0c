from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from core import settings
from core.errors import SettingsError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECRET = "s3cr3t-2c2c-value"
REST = """
[notifiers.log]
kind = "file"
path = "notices.jsonl"

[routes.ops]
notifiers = ["log"]
fallback = true
"""
WITHOUT = """
import sys
from importlib.machinery import PathFinder

gone = sys.argv.pop(1)

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] == gone else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
from core.cli import main
main(prog_name="replyby")
"""
ENVIRON = {"HEADERS": f"authorization=Bearer {SECRET}", "DSN": f"https://{SECRET}@o1.example/7"}


@pytest.fixture
def read(tmp_path):
    def read(text, environ=ENVIRON):
        path = tmp_path / "settings.toml"
        path.write_text(text + REST)
        return settings.load(path, {}, environ, sandbox=False, now=NOW)

    return read


def test_nothing_is_told_unless_the_settings_say_so(read):
    found = read("")

    assert (found.otel, found.sentry) == (None, None)


def test_a_collector_and_a_project_are_read_with_their_secrets(read):
    found = read(
        '[otel]\nendpoint = "http://127.0.0.1:4318/"\nheaders = "env:HEADERS"\nsample = 0.1\n'
        '[sentry]\ndsn = "env:DSN"\nenvironment = "staging"\n'
    )

    assert found.otel.endpoint == "http://127.0.0.1:4318"
    assert found.otel.sent_with() == {"authorization": f"Bearer {SECRET}"}
    assert found.sentry.environment == "staging"
    assert {ENVIRON["HEADERS"], ENVIRON["DSN"]} <= found.secrets


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[otel]", "otel.endpoint: is missing"),
        ('[otel]\nendpoint = "collector:4317"', "otel.endpoint: is no address of a page"),
        ('[otel]\nendpoint = "http://c:1"\nheaders = "a=b"', "otel.headers: "),
        ('[otel]\nendpoint = "http://c:1"\nheaders = "env:DSN"', "otel.headers: is no list of"),
        ('[otel]\nendpoint = "http://c:1"\nsample = 2', "otel.sample: "),
        ('[otel]\nendpoint = "http://c:1"\nsmaple = 1', "otel.smaple: unknown key"),
        ("[sentry]", "sentry.dsn: is missing"),
        ('[sentry]\ndsn = "env:HEADERS"', "sentry.dsn: is no DSN of Sentry; copy it"),
        ('[sentry]\ndsn = "https://key@host/7"', "sentry.dsn: "),
    ],
)
def test_a_fault_says_how_to_mend_it_and_shows_no_secret(read, text, complaint):
    with pytest.raises(SettingsError) as found:
        read(text)

    (line,) = found.value.complaints
    assert line.startswith(complaint), line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("package", "text", "mend"),
    [
        ("opentelemetry", '[otel]\nendpoint = "http://127.0.0.1:4318"\n', "otel"),
        ("sentry_sdk", '[sentry]\ndsn = "env:DSN"\n', "sentry"),
    ],
)
def test_without_its_extra_a_table_says_what_to_install(tmp_path, package, text, mend):
    (tmp_path / "settings.toml").write_text(text + REST)

    run = subprocess.run(
        [sys.executable, "-c", WITHOUT, package, "check", "--offline"],
        cwd=tmp_path, env={**os.environ, **ENVIRON}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 2
    assert run.stderr == f"{mend}: needs an extra: pip install 'replyby[{mend}]'\n"
