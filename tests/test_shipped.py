"""The settings that are shipped: what stands there as a comment works too, and needs no excuse."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from core.notifiers import registry

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = (ROOT / "settings.toml").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMENTED = re.compile(r"^(?:# )+(?=\[|\w+ = )", re.MULTILINE)
PLAYED = re.compile(
    r"^\[(?:accounts\.\S+|policies\.ours-1m)\].*?(?=\n\n)", re.MULTILINE | re.DOTALL
)
NAMED = re.compile(r"^(?:# )?\[notifiers\.(\w+)\]\n(?:# )?kind = \"(\w+)\"", re.MULTILINE)
WELL = "settings.toml: 1 account (not called), 0 warnings, no fault in the settings\n"
FIRST, REAL = SHIPPED.split("\n# A real account")


@pytest.fixture
def check(tmp_path):
    def check(text, *options):
        (tmp_path / "settings.toml").write_text(text)
        names = ("CONRAD_KEY", "CHAT_SECRET", "SLACK_TOKEN", "SMTP_PASSWORD")
        secrets = dict.fromkeys(names, "a-secret-of-16-and-more") | {
            "PAGERDUTY_KEY": "k" * 32, "APPRISE_URL": "json://phone.example/x",
            "CHAT_URL": "https://chat.example/x", "TEAMS_URL": "https://flow.example/x",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "core", "check", "--offline", *options],
            cwd=tmp_path, env={**os.environ, **secrets},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return check


def real(text):
    """The block of a real account without its marks of comment, in the place of what is played."""
    return PLAYED.sub("", FIRST) + "\n#" + COMMENTED.sub("", text)


def test_what_is_played_at_the_first_run_has_no_warning(check):
    """One is pushed everything (WhatsApp), and says no `silence`: a stand-in's is play."""
    assert 'kind = "whatsapp"' in FIRST

    code, said = check(SHIPPED, "--sandbox")

    assert (code, "warning:" in said) == (0, False)
    assert said.endswith("(not called), 0 warnings, no fault in the settings\n")


def test_what_the_readme_does_where_ports_are_taken_moves_all_that_belong_to_them(check, tmp_path):
    (command,) = re.findall(r"^sed -i .* settings\.toml$", README, re.MULTILINE)
    (tmp_path / "settings.toml").write_text(SHIPPED)

    subprocess.run(shlex.split(command), cwd=tmp_path, check=True)

    moved = (tmp_path / "settings.toml").read_text()
    assert re.search(r"127\.0\.0\.1:(?:9100|808[01])", SHIPPED)
    assert not re.search(r"127\.0\.0\.1:(?:9100|808[01])", moved)
    assert check(moved, "--sandbox")[1].endswith(", 0 warnings, no fault in the settings\n")


def test_the_real_account_has_no_fault_and_no_warning(check):
    assert check(real(REAL)) == (0, WELL)


def test_all_that_stands_in_comments_has_no_fault_and_no_warning(check):
    """Every kind of notifier among it."""
    named = NAMED.findall(FIRST)
    assert {kind for _, kind in named} == registry.KINDS.keys()
    told = json.dumps([name for name, _ in named])
    text = COMMENTED.sub("", real(REAL)).replace('notifiers = ["log"]\n', f"notifiers = {told}\n")

    assert check(text)[1] == WELL


def test_the_block_of_the_account_stands_alone_without_its_goal(check):
    account = REAL.partition("\n#\n# [policies.")[0].replace('# goals = ["ours-4h"]', "#")

    assert check(real(account))[1] == WELL
