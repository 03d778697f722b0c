"""eBay's README says what the code does."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.ebay import application, offer, options, spec
from connectors.ebay.dossiers import reading as dossiers
from connectors.ebay.dossiers import walk
from connectors.ebay.messages import answering, marking, media, reading
from connectors.ebay.options import EbayOptions, Hosts, Push
from connectors.ebay.push import keys
from connectors.ebay.trading import walking
from core import settings
from core.reading import walk as pages
from core.running import pushed

FOLDER = Path(application.__file__).parent
TEXT = (FOLDER / "README.md").read_text(encoding="utf-8")
HERE = Path(__file__).parent
ROWS = {int(number) for number in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
SHOP = {"client_id": "c", "client_secret": "s", "refresh_token": "r", "seller": "shop-b"}
NOW = datetime(2026, 11, 22, tzinfo=UTC)
DESK = 'kind = "file"\n[routes.desk]\nnotifiers = ["log"]\nfallback = true\n'
PUSH = {"endpoint": "https://a.example/push", "verification_token": "x" * 32}


@pytest.fixture
def account():
    return EbayOptions.model_validate({**SHOP, "push": PUSH})


def minutes(span):
    return f"{span.total_seconds() / 60:g} min"


def test_the_limits_in_the_readme_are_those_of_the_code(account):
    streams = {stream.name: stream for stream in spec.streams(account)}
    for name in ("messages", "inquiries", "disputes"):
        every, floor = minutes(streams[name].every), minutes(streams[name].floor)
        assert re.search(rf"\| `{name}` \|[^|]*\| {every}, at least {floor}", TEXT), name
    assert f"| {minutes(streams['notices'].every)} |" in TEXT
    assert streams["limits"].every == streams["subscriptions"].every == offer.HOUR
    assert minutes(options.FLOOR) == "1 min"
    assert timedelta(hours=1).total_seconds() == keys.KEPT
    assert f"goes on for {keys.USABLE / 3600:g} hours" in TEXT
    every, floor = offer.TRADING_EVERY, offer.TRADING_FLOOR
    assert f"by Trading {minutes(every)}, at least {minutes(floor)} |" in TEXT
    a_day, at_most = 4 * walking.SWEEP / every, 4 * walking.SWEEP / floor
    assert f"{a_day:,.0f} calls a day for each seller" in TEXT
    assert f"never above {at_most:,.0f}" in TEXT
    late, far = walking.LATE / timedelta(hours=1), walking.SHOWN_WITHIN.days
    assert f"at most {late:g} hours old, and one a day the last {far} days" in TEXT
    assert f"{answering.SHORTEST} to {answering.LONGEST:,} characters" in TEXT
    assert f"{media.MOST_FILES} files, checked" in TEXT
    assert f"at most {media.MOST_ENCLOSED // 10**6} MB in all" in TEXT
    assert f"{reading.AT_ONCE} conversations or messages an answer" in TEXT
    assert f"{marking.AT_ONCE} conversations marked at once" in TEXT
    assert f"windows of {walk.WINDOW.days} days" in TEXT
    again, near = minutes(walk.AGAIN), minutes(walk.AGAIN_NEAR)
    assert timedelta(hours=1) == walk.NEAR
    assert f"every {again}, every {near} within an hour of its date" in TEXT
    assert f"at most {walk.MOST_AGAIN} of a kind in {again}" in TEXT
    assert f"is seen within {again}; where more than 60 of a kind" in TEXT
    assert f"a page has {pages.LIMIT:g} s" in TEXT
    assert f"after {dossiers.WITHIN:g} s no further detail" in TEXT


def test_the_readme_lists_options_streams_and_limitations(account):
    for part in (EbayOptions, Hosts, Push):
        for name in part.model_fields:
            assert f"`{name}`" in TEXT, name
    for stream in spec.streams(account):
        assert f"| `{stream.name}` |" in TEXT
    assert TEXT.partition("## Known limitations")[2].count("\n- ") >= 4


def test_the_defaults_in_the_readme_are_those_of_the_code(account):
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", TEXT, re.MULTILINE))
    known = EbayOptions.model_fields
    written = {name: text for name, text in said.items() if name in known and text != "[]"}

    told = {**written, "disputes": tomllib.loads(f"x = {written['disputes']}")["x"]}
    assert EbayOptions.model_validate({**SHOP, "push": PUSH, **told}) == account
    assert len(written) >= 8


def test_the_example_of_the_readme_is_an_account():
    example = tomllib.loads(re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1])
    told = example["accounts"]["ebay-de"]["options"]
    token = told["push"]["verification_token"]

    assert token.startswith("env:")
    read = EbayOptions.model_validate({
        **told, "push": {**told["push"], "verification_token": "x" * 32}
    })  # fmt: skip
    assert read.push.endpoint.endswith("/push/ebay/ebay-de")
    assert spec.findings(read, []) == ()


def test_who_copies_the_example_of_the_readme_receives_what_is_pushed(tmp_path, monkeypatch):
    """And is told nothing else about pushes."""
    for name in ("CLIENT_SECRET", "REFRESH_TOKEN", "VERIFICATION_TOKEN"):
        monkeypatch.setenv(f"EBAY_{name}", "x" * 32)
    example = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1]
    path = tmp_path / "settings.toml"
    path.write_text(f'{example}\n[notifiers.log]\npath = "notices"\n{DESK}', encoding="utf-8")

    read = settings.load(path, {"ebay": spec}, os.environ, sandbox=False, now=NOW)

    assert read.push is not None
    assert list(pushed.findings(read)) == []


def test_the_readme_says_how_to_consent_anew():
    assert "**A new consent**" in TEXT
    assert "reload" in TEXT
    for scope in ("commerce.message", "sell.payment.dispute", "commerce.notification.subscription"):
        assert f"`{scope}`" in TEXT


def functions():
    """Tests of the connector by name, with what each says of itself; not those of the stand-in."""
    paths = [path for path in HERE.rglob("test_*.py") if "sandbox" not in path.parts]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    found = [one for one in nodes if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {one.name: ast.get_docstring(one) or "" for one in found if one.name[:5] == "test_"}


def test_each_trap_has_a_test_with_its_number():
    """In the function's name, or in what it says of itself; no comment anywhere will do."""
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", TEXT, re.MULTILINE)
    shown = {int(number): re.findall(r"`(\w+)`", names) for number, names in rows}
    known = functions()

    assert {*range(27, 47)} == ROWS == shown.keys()
    for number, names in shown.items():
        assert names, number
        for name in names:
            assert name in known, name
            said = re.search(rf"^test_traps?_(\d+_and_)?{number}_", name)
            assert said or re.search(rf"\b[Tt]rap {number}\b", known[name]), name


def test_each_trap_named_in_the_code_is_explained():
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))
    named = {int(n) for group in re.findall(r"\(traps? ([\d, ]+)\)", code)
             for n in group.split(",")}  # fmt: skip

    assert named - {19} <= ROWS, "trap 19 is of all connectors"
    assert named


def test_each_topic_of_the_readme_is_one_of_the_connectors():
    for topic in offer.TOPICS[:2]:
        assert f"`{topic}`" in TEXT


def test_the_connector_itself_logs_nothing():
    """What happens is told once, by core, when a stream's health changes."""
    for path in FOLDER.rglob("*.py"):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"logging", "structlog", "warnings"} & set(names), path
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (is_call and node.func.id == "print"), path


def test_no_kind_with_a_fallback_is_said_to_have_none():
    policies = tomllib.loads((FOLDER / "policies.toml").read_text(encoding="utf-8"))["policy"]
    kinds = {policy["kind"].removesuffix("y") for policy in policies}
    sentences = re.findall(r"[^.:\n]*\bno fallback\b[^.:]*", TEXT)

    assert sentences != []
    assert [s for s in sentences if any(kind in s.lower() for kind in kinds)] == []
