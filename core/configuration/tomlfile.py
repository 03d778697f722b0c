"""The file of the settings as tables; what is wrong with it as a file is told by its line."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from core.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_TWICE = re.compile(r"Cannot declare \((?P<path>.*)\) twice \(at line (?P<line>\d+), column \d+\)")


def read(path: Path, option: str = "--settings") -> dict[str, Any]:
    """What stands in the file, which *option* names; a byte order mark at its begin is none of it.

    Raises:
        SettingsError: there is no such file, it is no text, or no TOML.
    """
    try:
        return tomllib.loads(_text(path, option))
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError([f"{path}: {_plainly(str(fault))}"]) from fault


def _text(path: Path, option: str) -> str:
    if path.is_dir():
        raise SettingsError([f"{path}: is a directory; name the file in it with {option} FILE"])
    if not path.is_file():
        what = "is no regular file; name one" if path.exists() else "there is no such file; name it"
        raise SettingsError([f"{path}: {what} with {option} FILE, or put it there"])
    try:
        raw = path.read_bytes()
    except OSError as fault:
        why = type(fault).__name__
        raise SettingsError([f"{path}: cannot be read ({why}); mend the file"]) from fault
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        why = f"line {line} is no UTF-8; save the file in that encoding"
        raise SettingsError([f"{path}: {why}"]) from fault


def _plainly(fault: str) -> str:
    """What the reader of TOML says, in plain words where a table stands there twice."""
    twice = _TWICE.fullmatch(fault)
    if twice is None:
        return f"is no TOML: {fault}; mend that line"
    name = ".".join(re.findall(r"'([^']*)'", twice["path"]))
    return f"[{name}] stands there a second time (line {twice['line']}); make one of the two"
