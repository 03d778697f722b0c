"""`python -m core.web.extracted`: bring the catalogues up to what pages say today.

What is new stands there untranslated, what is said no more is gone; translations are kept.
A new language: an empty ``locale/<language>/messages.po``, then this.
"""

from __future__ import annotations

from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.web import words

if TYPE_CHECKING:
    from pathlib import Path

METHODS = [
    ("api/**", "ignore"),  # programs are told in English
    ("templates/**.html", "jinja2.ext:babel_extract"),
    ("**.py", "python"),
]
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "silent": "false"}}
TOLD = {"Mistaken": None, "NotAllowed": None, "Said": None, "phrase": None}
"""What holds a sentence of ours that a page tells, wherever in the core it is raised."""
WORDS = {**TOLD, "_": None, "gettext": None, "ngettext": (1, 2), "say": None}
ELSEWHERE = (
    "commands/**", "desk/interchange.py", "desk/silencing.py",
    "desk/telling.py", "orders/**", "store/dump*.py", "store/recalled.py", "store/restoring.py",
    "web/**",
)  # fmt: skip
"""Of the core, what reaches terminals and programs alone, and what is read as pages are."""
WIDTH = 100
HEAD = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


def said() -> Catalog:
    """Every text of the pages that there is to translate; and what our own connectors say there."""
    found = Catalog()
    below = [*((each, "ignore") for each in ELSEWHERE), *METHODS]
    pages = extract_from_dir(words.HERE, METHODS, OPTIONS, WORDS)
    raised = extract_from_dir(words.HERE.parent, below, None, TOLD)
    refused = extract_from_dir(
        words.HERE.parent.parent / "connectors", METHODS[-1:], None, {"phrase": None}
    )
    for file, line, message, comments, context in chain(pages, raised, refused):
        found.add(message, None, [(file, line)], auto_comments=comments, context=context)
    return found


def read(path: Path) -> Catalog:
    """What the catalogue at *path* says."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.name)


def bring_up(path: Path, template: Catalog) -> None:
    """Let the catalogue at *path* hold what *template* does, with the translations it had."""
    catalogue = read(path)
    catalogue.update(template, no_fuzzy_matching=True)
    written = BytesIO()
    write_po(
        written, catalogue, WIDTH,
        no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True,
    )  # fmt: skip
    head = HEAD.format(language=path.parent.name, plurals=catalogue.plural_forms)
    path.write_bytes(head.encode() + written.getvalue().lstrip())


def main() -> None:
    """Bring up all catalogues that there are."""
    for path in sorted(words.FOLDER.glob("*/messages.po")):
        bring_up(path, said())


if __name__ == "__main__":
    main()
