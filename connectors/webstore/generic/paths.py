"""Where in a JSON document something stands: JMESPath (jmespath.org), which runs no code. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from pydantic import AfterValidator, Field

from core.errors import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jmespath.parser import ParsedResult

FUNCTIONS = frozenset(Functions.FUNCTION_TABLE)
LONGEST = 1000
"""Characters of an expression."""

ODD = (JMESPathError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What an expression may come to in a document that is not as it was thought to be."""

ONWARD = frozenset({
    "subexpression", "index_expression", "projection", "value_projection", "filter_projection",
    "flatten", "pipe",
})  # fmt: skip
"""Of these only the first part speaks of the document itself."""


def _path(text: str) -> str:
    """An expression that can be read.

    Raises:
        Unfit: it cannot, and where.
    """
    try:
        parsed = compiled(text)
    except JMESPathError as fault:
        place = getattr(fault, "lex_position", None)
        where = f" at character {place + 1}" if isinstance(place, int) else ""
        raise Unfit(
            f"is no JMESPath expression: it breaks off{where}; write it like customer.name, a name"
            " with a dash or a blank in double quotes within single ones"
        ) from None
    unknown = sorted({each for each in _functions(parsed.parsed) if each not in FUNCTIONS})
    if unknown:
        raise Unfit(f"calls what JMESPath does not have; it knows {', '.join(sorted(FUNCTIONS))}")
    return text


Path = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_path)]
"""A JMESPath expression."""


@lru_cache(1024)
def compiled(text: str) -> ParsedResult:
    """The expression, read.

    Raises:
        JMESPathError: it is none.
    """
    return jmespath.compile(text)


def find(path: str | None, document: Any) -> Any:
    """What stands at *path* in *document*; None where nothing does, or there is no *path*."""
    if path is None:
        return None
    try:
        return compiled(path).search(document)
    except ODD:
        return None


def roots(path: str) -> frozenset[str]:
    """The names with which *path* begins: of what it speaks."""
    return frozenset(_roots(compiled(path).parsed))


def _roots(node: Any) -> Iterator[str]:
    kind, below = node["type"], [each for each in node["children"] if isinstance(each, dict)]
    if kind == "field":
        yield str(node["value"])
    for each in below[:1] if kind in ONWARD else below:
        yield from _roots(each)


def _functions(node: Any) -> Iterator[str]:
    """The functions that an expression calls."""
    if node.get("type") == "function_expression":
        yield str(node["value"])
    for each in node.get("children", ()):
        if isinstance(each, dict):
            yield from _functions(each)
