"""The linters of what is neither Python nor prose: Dockerfile, shell, YAML."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
TEMPLATES = "deploy/helm/replyby/templates/"


def tracked():
    """Every file of the project, new ones included."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return [name for name in names if (ROOT / name).is_file()]


def scripts():
    """The shell scripts, by their first line."""
    for name in tracked():
        with (ROOT / name).open("rb") as opened:
            if opened.readline().rstrip() in {b"#!/bin/sh", b"#!/bin/bash"}:
                yield name


def yamls():
    return [n for n in tracked() if n.endswith((".yml", ".yaml")) and not n.startswith(TEMPLATES)]


def lint(*command):
    return subprocess.run(
        [TOOLS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_dockerfile_is_clean():
    done = lint("hadolint", "--failure-threshold", "style", "deploy/Dockerfile")

    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_shell_script_is_clean():
    found = list(scripts())
    assert {"deploy/image/dependencies", ".ci/setup"} <= set(found)

    done = lint("shellcheck", "--severity=style", *found)

    assert (done.returncode, done.stdout) == (0, "")


def test_every_yaml_is_clean():
    found = yamls()
    assert "deploy/yamllint.yaml" in found

    done = lint("yamllint", "--strict", "-c", "deploy/yamllint.yaml", *found)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("tool", "name", "text", "said"),
    [
        ("hadolint", "Dockerfile", "FROM python:latest\nRUN cd /x\n", "DL3007"),
        ("shellcheck", "script", "#!/bin/sh\nrm -rf $1\n", "SC2086"),
        ("yamllint", "one.yml", "a: 1\na: 2\n", "duplication"),
    ],
)
def test_each_linter_finds_what_is_wrong(tmp_path, tool, name, text, said):
    (tmp_path / name).write_text(text)

    done = lint(tool, str(tmp_path / name))

    assert done.returncode != 0
    assert said in done.stdout
