"""The commands of a fresh machine: what they install, when they do not, and what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("cat", "cksum", "dirname", "head", "id", "mkdir", "rm", "sh")

# A Python that only writes down what it is asked for; `-m venv` makes another of its kind.
PYTHON = """#!/bin/sh
case "$*" in
    *'-m venv '*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *'fcntl.flock'*) ;;
    -c*|-V|*' pip --version') exec '{python}' "$@" ;;
esac
echo "$*" >>calls
case "$*" in *"${{BREAK:-nothing}}"*) exit 1 ;; esac
"""


@pytest.fixture
def clone(tmp_path):
    """The files that `.ci/setup` looks at, in a directory with a space."""
    path = tmp_path / "a clone"
    path.mkdir()
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, path)
    shutil.copytree(ROOT / ".ci", path / ".ci")
    (path / "python").write_text(PYTHON.format(python=sys.executable))
    (path / "python").chmod(0o755)
    return path


def setup(clone, want, **environment):
    """Run it from elsewhere; what it asked of Python, its exit code and what it said."""
    run = subprocess.run(
        ["sh", clone / ".ci" / "setup", want],
        cwd="/", check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHON": str(clone / "python"), **environment},
    )  # fmt: skip
    calls = clone / "calls"
    asked = calls.read_text().splitlines() if calls.exists() else []
    calls.unlink(missing_ok=True)
    return asked, run.returncode, run.stderr


def installs(asked):
    return [call.split(" --no-input ")[1] for call in asked if "pip install" in call]


def test_the_first_time_it_installs_by_hash_and_the_project_without_a_network(clone):
    asked, code, _ = setup(clone, "run")

    assert code == 0
    assert [call for call in asked if "-m venv" in call] == ["-m venv .venv"]
    assert installs(asked) == [
        "--require-hashes -r requirements.lock",
        "--no-index --no-deps --no-build-isolation -e .",
    ]


def test_the_second_time_it_asks_nobody(clone):
    setup(clone, "dev")

    assert setup(clone, "dev") == ([], 0, "")
    assert setup(clone, "run") == ([], 0, "")  # the development lock holds all of the other


def test_what_runs_is_not_enough_for_the_tests(clone):
    setup(clone, "run")
    asked, _, _ = setup(clone, "dev")

    assert "--require-hashes -r requirements-dev.lock" in installs(asked)
    assert not [call for call in asked if "-m venv" in call]


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock", "requirements-dev.lock"])
def test_a_change_of_what_is_wanted_installs_again(clone, name):
    setup(clone, "run")
    with (clone / name).open("a") as file:
        file.write("# changed\n")

    assert installs(setup(clone, "run")[0]) != []


def test_a_clone_that_moved_makes_its_environment_anew(clone):
    setup(clone, "run")
    moved = clone.rename(clone.with_name("moved clone"))
    asked, code, _ = setup(moved, "run")

    assert code == 0
    assert "-m venv .venv" in asked
    assert len(installs(asked)) == 2


@pytest.mark.parametrize("broken", ["-r requirements.lock", "-e ."])
def test_an_installation_that_broke_off_is_done_again(clone, broken):
    _, code, _ = setup(clone, "run", BREAK=broken)
    assert code != 0
    asked, code, _ = setup(clone, "run")

    assert code == 0
    assert len(installs(asked)) == 2


def without_python(clone, tmp_path, python=None):
    """A machine whose only programs are a few tools and, perhaps, this Python."""
    path = tmp_path / "bin"
    path.mkdir()
    for tool in TOOLS:
        (path / tool).symlink_to(shutil.which(tool))
    if python:
        (path / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (path / "python3").chmod(0o755)
    return setup(clone, "run", PATH=str(path), PYTHON="")


@pytest.mark.parametrize(
    "python",
    [
        None,
        "exit 1",
        f'case "$2" in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"',
    ],
    ids=["no python", "an old python", "a python without venv"],
)
def test_without_a_python_that_can_make_an_environment_one_line_mends_it(clone, tmp_path, python):
    asked, code, said = without_python(clone, tmp_path, python)

    assert code != 0
    assert asked == []
    lines = said.splitlines()
    assert len(lines) == 2
    assert "This line brings it" in lines[0]
    if Path("/etc/debian_version").exists():
        assert re.search(r"apt-get install -y python3(\.\d+)?-venv$", lines[1])


def test_each_command_is_one_line_that_calls_a_script():
    rules = dict(re.findall(r"^(\w+): ; @sh (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert rules.keys() == {"run", "afresh", "test", "check", "bench", "torture"}
    assert all(os.access(ROOT / script, os.X_OK) for script in rules.values())


def test_each_program_that_a_test_needs_is_known_to_the_installation():
    marks = re.compile(r"mark\.needs\(([^)]*)\)")
    needed = {
        program
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__)
        for words in marks.findall(path.read_text())
        for program in re.findall(r'"([^"]+)"', words)
    }
    known = set(re.findall(r"^needs (\S+) ", (ROOT / ".ci/programs").read_text(), re.MULTILINE))

    assert needed <= known


class Marked:
    """As much of a test as the set-up looks at."""

    def __init__(self, *marks):
        self.marks = [mark.mark for mark in marks]

    def iter_markers(self, name):
        return [mark for mark in self.marks if mark.name == name]


@pytest.fixture
def prepare(pytestconfig):
    own = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    return own.pytest_runtest_setup


def test_a_program_that_is_missing_is_a_skip_here_and_an_error_in_ci(prepare, monkeypatch):
    test = Marked(pytest.mark.needs("sh", "no-such-program"))

    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed: no-such-program"):
        prepare(test)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not installed: no-such-program"):
        prepare(test)
    prepare(Marked(pytest.mark.needs("sh")))


def test_what_lies_outside_the_repository_is_a_skip_even_in_ci(prepare, monkeypatch):
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.skip.Exception, match="no/such/file"):
        prepare(Marked(pytest.mark.needs_shared("no/such/file")))
