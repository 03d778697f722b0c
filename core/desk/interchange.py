"""Macros as TOML, to be edited elsewhere, kept with other files, and brought back. Pure.

[macros.late-parcel]
title = "The parcel is late"
marketplaces = ["amazon-de"]

[macros.late-parcel.texts]
en = "Dear {{buyer_first_name}}, ..."
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import Mistaken
from core.store.macros import Macro

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BARE = re.compile(r"[A-Za-z0-9_-]+")
# What JSON leaves as it is and TOML does not.
_DELETE = re.compile("\x7f")


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    title: str
    accounts: tuple[str, ...] = ()
    marketplaces: tuple[str, ...] = ()
    texts: Annotated[dict[str, str], Field(min_length=1)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    macros: dict[str, _Written]


def read(raw: bytes) -> list[Macro]:
    """The macros that *raw* holds, in its order.

    Raises:
        Mistaken: it is no TOML, or not of this shape; it says where.
    """
    try:
        found = _File.model_validate(tomllib.loads(raw.decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise Mistaken("the file is not UTF-8; write it in that encoding") from None
    except tomllib.TOMLDecodeError as fault:
        raise Mistaken(f"the file is no TOML: {fault}") from None
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Mistaken(f"{where}: {first['msg']}") from None
    return [
        Macro(name, one.title, one.texts, one.accounts, one.marketplaces)
        for name, one in found.macros.items()
    ]


def write(macros: Iterable[Macro]) -> str:
    """*macros* as `read` takes them."""
    return "\n".join(line for one in macros for line in _lines(one))


def _lines(macro: Macro) -> Iterator[str]:
    key = _key(macro.name)
    yield f"[macros.{key}]"
    yield f"title = {_text(macro.title)}"
    for name, values in (("accounts", macro.accounts), ("marketplaces", macro.marketplaces)):
        if values:
            yield f"{name} = [{', '.join(map(_text, values))}]"
    yield ""
    yield f"[macros.{key}.texts]"
    for language, body in sorted(macro.texts.items()):
        yield f"{_key(language)} = {_long(body)}"
    yield ""


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for one character."""
    return _DELETE.sub(r"\\u007f", json.dumps(text, ensure_ascii=False))


def _long(text: str) -> str:
    """*text* over several lines, where it has some, so that a person can read it."""
    if "\n" not in text:
        return _text(text)
    return '"""\n' + "\n".join(_text(line)[1:-1] for line in text.split("\n")) + '"""'
