"""A connector of somebody else: built, installed, type-checked and run by its own tests.

In an environment of its own beside ours, without the network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent / "example"
OURS = Path(sysconfig.get_path("purelib"))
PUBLIC = {
    "core.conformance", "core.connector", "core.errors", "core.model", "core.payload",
    "core.durations", "core.sandbox.faults", "core.sandbox.serve",
    "core.transport.http", "core.transport.salvage",
    "sla.calendar", "sla.clock", "sla.policy",
}  # fmt: skip
MYPY = ("-m", "mypy", "--strict", "--config-file", "pyproject.toml", "--cache-dir")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An environment that has what ours has, and the example installed from its wheel."""
    home = tmp_path_factory.mktemp("author")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(site) / "ours.pth").write_text(f"import site; site.addsitedir({str(OURS)!r})\n")
    shutil.copytree(EXAMPLE, home / "example", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    run(
        python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
        "--no-index", "--disable-pip-version-check", "--no-cache-dir", "--root-user-action=ignore",
        home / "example",
    )  # fmt: skip
    return home


def run(*command, cwd=None):
    """What it prints; an error shows all of it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_it_is_installed_as_a_distribution_of_its_own(home):
    where = run(home / "bin/python", "-c", "import replyby_example as e; print(e.__file__)")

    assert Path(where.strip()).is_relative_to(home)
    assert "site-packages" in where


def test_its_own_tests_pass_where_it_is_installed(home):
    tests = home / "tests"
    tests.mkdir()
    for name in ("test_example.py", "conftest.py", "pyproject.toml"):
        shutil.copy(EXAMPLE / name, tests)
    told = run(home / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", ".", cwd=tests)

    assert " passed" in told
    assert "failed" not in told


def test_mypy_finds_nothing(home):
    told = run(
        home / "bin/python", *MYPY, home / ".mypy_cache", "replyby_example", "test_example.py",
        cwd=home / "example",
    )  # fmt: skip

    assert "Success" in told


def test_basedpyright_finds_nothing(home):
    told = run(
        home / "bin/python", "-m", "basedpyright", "--level", "error", "--pythonpath",
        home / "bin/python", "replyby_example", "test_example.py",
        cwd=home / "example",
    )  # fmt: skip

    assert "0 errors" in told


def test_a_connector_of_the_wrong_shape_is_found_at_its_spec(home):
    wrong = home / "example" / "wrong.py"
    text = (EXAMPLE / "replyby_example" / "__init__.py").read_text()
    wrong.write_text(text.replace("open=CornerShop,", "open=CornerShopOptions,"))
    done = subprocess.run(
        [str(part) for part in (home / "bin/python", *MYPY, home / ".mypy_cache", "wrong.py")],
        cwd=home / "example", capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    wrong.unlink()

    assert done.returncode == 1
    assert 'Argument "open" to "Spec"' in done.stdout


def test_it_imports_the_public_surface_only():
    lines = [
        line.split()[1]
        for path in (EXAMPLE / "replyby_example").glob("*.py")
        for line in map(str.strip, path.read_text().splitlines())
        if line.startswith(("from core", "import core", "from sla", "import sla"))
    ]

    assert lines
    assert set(lines) <= PUBLIC


def test_the_public_surface_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "adding-a-connector.md").read_text()

    assert [module for module in PUBLIC if f"`{module}`" not in page] == []


def test_it_declares_one_entry_point_and_one_dependency():
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]

    assert project["dependencies"] == ["replyby"]
    assert project["entry-points"] == {"replyby.connectors.v1": {"example": "replyby_example:spec"}}
    assert sys.version_info >= (3, 11)
