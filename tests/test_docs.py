"""Prose that can rot is tested: settings, metrics, commands, reasons, notices, links."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from core import errors
from core.cli import main
from core.model import HealthState, NoticeKind

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def headings(page: str) -> set[str]:
    return {h.strip().strip("`") for h in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}


def section(page: str, heading: str) -> str:
    """What stands in *page* under *heading*, up to the next one."""
    return re.split(r"^#+ ", page.partition(f"\n### {heading}\n")[2], flags=re.MULTILINE)[0]


def subclasses(kind: type) -> set[type]:
    return {kind} | {deep for sub in kind.__subclasses__() for deep in subclasses(sub)}


@pytest.mark.parametrize("kind", NoticeKind)
def test_each_kind_of_notice_has_a_heading_in_the_runbook(kind):
    assert kind.value in headings(text("runbook.md"))


@pytest.mark.parametrize("state", HealthState)
def test_each_health_has_a_heading_in_the_runbook(state):
    assert state.value in headings(text("runbook.md"))


def test_each_reason_of_an_error_is_in_the_runbook():
    page = text("runbook.md")

    for kind in subclasses(errors.Error):
        assert f"| `{kind.reason}` |" in page, kind


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("bad_credentials", ("invalid_grant", "refresh_token_made", "invalid_client", "check")),
        ("reply_refused", ("at the marketplace", "(#bad_credentials)")),
        ("account_down", ("consent", "replyby check", "(#bad_credentials)")),
        ("payload_set_aside", ("detail: 404", "replyby set-aside drop")),
    ],
)
def test_the_runbook_says_what_to_do_where_a_notice_leaves_the_reader(heading, words):
    said = section(text("runbook.md"), heading)

    assert [word for word in words if word not in said] == []


def test_each_error_is_drawn_in_the_tree():
    for kind in subclasses(errors.Error):
        assert re.search(rf"^ +{kind.__name__}\b", errors.__doc__ or "", re.MULTILINE), kind


def commands(group: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(group, click.Group):
        return [path]
    return [c for name, sub in group.commands.items() for c in commands(sub, (*path, name))]


def test_each_command_is_documented():
    page = text("cli.md")

    for path in commands(main):
        assert f"replyby {' '.join(path)}" in page, path


def test_each_option_of_a_command_is_documented():
    page = text("cli.md")
    context = click.Context(main)
    for path in commands(main):
        command: click.Command = main
        for name in path:
            assert isinstance(command, click.Group)
            found = command.get_command(context, name)
            assert found is not None
            command = found
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name != "help":
                assert any(o in page for o in parameter.opts), (path, parameter.opts)


LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def pages() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def test_each_link_inside_the_project_leads_somewhere():
    dead = [
        (page.relative_to(ROOT), target)
        for page in pages()
        for target in LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]

    assert dead == []


def test_the_settings_lead_to_what_each_connector_and_kind_wants_to_know():
    page = text("settings.md")
    (row,) = [line for line in page.splitlines() if line.startswith("| `options` | - |")]
    readmes = {path.relative_to(ROOT) for path in (ROOT / "connectors").rglob("README.md")}

    assert {Path(to.removeprefix("../")) for to in re.findall(r"\]\((.+?)\)", row)} == readmes


def test_decisions_are_numbered_and_say_what_would_change_our_mind():
    files = sorted((DOCS / "decisions").glob("*.md"))

    assert [int(f.name[:4]) for f in files] == list(range(1, len(files) + 1))
    for file in files:
        page = file.read_text()
        for part in ("**Question.**", "**Choice.**", "**What would change our mind.**"):
            assert part in page, (file.name, part)


def test_the_readme_names_the_two_commands_and_fits_two_screens():
    page = (ROOT / "README.md").read_text()

    assert "make run" in page
    assert "make test" in page
    assert len(page.splitlines()) <= 130
