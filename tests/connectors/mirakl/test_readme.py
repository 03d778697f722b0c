"""The connector's README says what the code does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from connectors.mirakl import connector, options, policies, spec

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "connectors" / "mirakl"
RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def defaults():
    return spec.options(base_url="https://op.example", api_key="k")


def minutes(span):
    return f"{span.total_seconds() / 60:g} min"


def test_the_limits_in_the_readme_are_those_of_the_code(readme, defaults):
    streams = {s.name: s for s in spec.streams(defaults)}
    messages, incidents = streams["messages"], streams["incidents"]

    assert f"every {minutes(messages.every)}, floor {minutes(messages.floor)}" in readme
    assert f"| {minutes(incidents.every)} |" in readme
    assert f"{connector.SHORTEST} to {connector.LONGEST:,} characters" in readme
    assert f"at most {connector.MOST_WHOLE} a page" in readme
    assert minutes(options.FLOOR) == "2 min"


def test_the_readme_lists_options_streams_and_limitations(readme, defaults):
    for name in type(defaults).model_fields:
        assert f"| `{name}` |" in readme
    for stream in spec.streams(defaults):
        assert f"| `{stream.name}` |" in readme
    assert readme.partition("## Known limitations")[2].count("\n- ") >= 4


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", readme, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in type(defaults).model_fields}

    assert spec.options(base_url="https://op.example", api_key="k", **written) == defaults
    assert set(written) == {"look_back", "overlap", "poll_every", "incidents"}


def test_the_readme_says_how_to_change_the_key(readme):
    assert "A new key" in readme
    assert "reload" in readme


def test_each_operator_of_the_contracts_is_named_in_the_readme(readme):
    contracts = readme.partition("## Contracts")[2].lower().replace(" ", "")
    for names, policy in policies.known():
        assert not names or any(name in contracts for name in names), policy.name


def test_every_endpoint_has_a_recorded_answer():
    names = {path.stem for path in RECORDED.glob("*.json")}

    # M13 answers bytes, not JSON: its stand-in is in test_reading.
    assert {operation.lower() for operation in spec.operations} - names == {"m13"}


def test_the_connector_itself_logs_nothing():
    """What happens is told once, by core, when an account's health changes."""
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"logging", "structlog", "warnings"} & set(names), path
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (is_call and node.func.id == "print"), path
