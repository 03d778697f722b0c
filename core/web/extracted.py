"""`python -m core.web.extracted`: bring the catalogues up to what pages say today.

What is new stands there untranslated, what is said no more is gone; translations are kept.
A new language: an empty ``locale/<language>/messages.po``, then this.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.web import words

if TYPE_CHECKING:
    from pathlib import Path

METHODS = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "silent": "false"}}
WORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "phrase": None, "say": None}
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
    """Every text of the pages that there is to translate."""
    found = Catalog()
    for file, line, message, comments, context in extract_from_dir(
        words.HERE, METHODS, OPTIONS, WORDS
    ):
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
