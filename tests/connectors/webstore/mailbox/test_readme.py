"""The README says what the code does."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from connectors.webstore.mailbox import connector, memory, offer, sorts
from connectors.webstore.mailbox.options import MailboxOptions
from core.options import FLOOR, MailServer, MailTokens
from core.transport import portions
from core.transport.mailbox import Limits
from tests.connectors.webstore.mailbox.letters import MINUTE, options

FOLDER = Path(sorts.__file__).parent
TEXT = (FOLDER / "README.md").read_text("utf-8")
HERE = Path(__file__).parent
ROOT = FOLDER.parents[2]


def functions(path):
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {one.name for one in nodes if isinstance(one, kinds)}


def test_the_readme_lists_options_streams_and_limitations():
    for part in (MailboxOptions, MailServer, MailTokens):
        for name in part.model_fields:
            assert f"`{name}`" in TEXT, name
    assert f"| `{offer.MAIL}` |" in TEXT
    assert "## Known limitations" in TEXT


def test_every_test_that_the_readme_names_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)

    assert len(named) >= 20
    for path, name in named:
        assert name in functions(ROOT / path), (path, name)


def test_each_trap_of_the_readme_has_a_test_with_its_number():
    numbers = {int(one) for one in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    tests = set().union(*(functions(path) for path in HERE.glob("test_*.py")))

    assert numbers == {16, 17, 18, 19, 20}
    for number in numbers:
        assert any(name.startswith(f"test_trap_{number}_") for name in tests), number


def test_each_trap_named_in_the_code_is_explained():
    code = "".join(path.read_text("utf-8") for path in FOLDER.rglob("*.py"))
    named = {int(one) for one in re.findall(r"\(trap (\d+)\)", code)}

    assert named
    assert named <= {16, 17, 18, 19, 20}


def test_trap_20_no_library_of_that_licence_is_used():
    """Nobody here names it in an import, nor do the project's own files of requirements."""
    sources = [*ROOT.glob("core/**/*.py"), *ROOT.glob("connectors/**/*.py")]
    assert not any("import aioimaplib" in path.read_text("utf-8") for path in sources)
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        assert "aioimaplib" not in (ROOT / name).read_text("utf-8").lower()


def test_the_limits_in_the_readme_are_those_of_the_code():
    away = {"host": "imap.x.example", "port": 993}
    (stream,) = offer.streams(options(poll_every="2m", imap=away))
    limits = Limits()

    assert (stream.every, stream.floor) == (2 * MINUTE, FLOOR)
    assert f"| `{stream.name}` | IMAP: inbox, junk, sent | 2 min, at least 1 min;" in TEXT
    page = f"{portions.MOST} letters, {portions.MOST_BYTES >> 20} MB or {portions.MOST_SECONDS:g} s"
    assert page in TEXT
    assert f"letters are read up to {limits.whole >> 20} MB" in TEXT
    assert limits.begin == 2**20
    assert f"slices of {limits.slice / 60:g} min" in TEXT
    assert f"at least {offer.SHORTEST} character" in TEXT
    assert f"answers take along {offer.MOST_ENCLOSED // 10**6} MB in all" in TEXT
    kept = f"{memory.MOST_LETTERS} letters and {memory.MOST_TIES} ties"
    assert f"{kept}, {connector.REMEMBERED.days} days at least" in TEXT
    assert f"{10_000 // portions.MOST} pages" in TEXT


def test_the_promise_of_the_readme_is_that_of_the_code():
    (goal,) = offer.goals(options())

    hours = goal.reply_within.total_seconds() / 3600
    assert f"| `{goal.name}` | {hours:g} h |" in TEXT


def test_the_example_of_the_readme_is_an_account():
    example = tomllib.loads(re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1])
    told = example["accounts"]["store-mail"]["options"]

    assert MailboxOptions.model_validate(told).imap.tls == "tls"


def test_the_defaults_in_the_readme_are_those_of_the_code():
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", TEXT, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in MailboxOptions.model_fields}

    assert options(**written) == options()
    assert set(written) == {
        "same_subject", "believes_junk", "plus_address", "look_back", "poll_every",
        "confirmed_after",
    }  # fmt: skip


def test_the_readme_says_how_to_change_password_and_consent():
    assert "A new password or consent" in TEXT
    assert "reload" in TEXT


def test_the_connector_itself_logs_nothing():
    for path in FOLDER.rglob("*.py"):
        text = path.read_text("utf-8")
        assert "structlog" not in text, path
        assert not re.search(r"\bprint\(", text), path
