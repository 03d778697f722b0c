"""Secrets in settings are references: here they become values.

``env:NAME`` is a variable, ``file:/path`` a file, ``credential:NAME`` one that the supervisor put
into its directory of credentials: systemd's `LoadCredential=`, secrets of containers.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretBytes, SecretStr

from core.configuration.written import models

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.configuration.complaints import Complaints
    from core.configuration.complaints import Path as KeyPath

MOST_BYTES = 65_536
PREFIXES = ("env:", "file:", "credential:")
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""The variable that names the directory: systemd sets it, see systemd.exec(5)."""
IN_PLAIN = (
    "a secret stands in the settings themselves; write env:NAME, file:/path or credential:NAME"
)


def is_reference(value: object) -> bool:
    """Whether *value* points to a secret instead of holding one."""
    return isinstance(value, str) and value.startswith(PREFIXES)


def is_secret(annotation: Any) -> bool:
    """Whether a field of this annotation holds a secret."""
    if annotation in {SecretStr, SecretBytes}:
        return True
    return any(is_secret(inner) for inner in get_args(annotation))


@dataclass(slots=True)
class References:
    """Follows references, relative files from *base*; keeps what it found for the log to hide."""

    environ: Mapping[str, str]
    base: Path
    complaints: Complaints
    secrets: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)

    def table(
        self, table: Mapping[str, Any], model: type[BaseModel], path: KeyPath
    ) -> dict[str, Any]:
        """*table* with its references followed; a faulty one is complained of and left out."""
        followed: dict[str, Any] = {}
        for key, value in table.items():
            known = model.model_fields.get(key)
            annotation = known.annotation if known else None
            found = self._value(value, annotation, (*path, key))
            if found is None:
                self.complaints.leave_out((*path, key))
            else:
                followed[key] = found
        return followed

    def plain(
        self, table: Mapping[str, Any], known: Iterable[type[BaseModel]], path: KeyPath
    ) -> None:
        """Complain of secrets in a *table* of which nobody knows which of the *known* it is."""
        secret = {
            name for model in known for name, f in model.model_fields.items()
            if is_secret(f.annotation)
        }  # fmt: skip
        for key, value in table.items():
            if key in secret and not is_reference(value):
                self.complaints.add((*path, key), IN_PLAIN)

    def _value(self, value: object, annotation: Any, path: KeyPath) -> object:
        if is_reference(value):
            return self.follow(str(value), path)
        if isinstance(value, dict):
            inner = next(iter(models(annotation)), BaseModel)
            return self.table(value, inner, path)
        if is_secret(annotation):
            self.complaints.add(path, IN_PLAIN)
            return None
        return value

    def follow(self, reference: str, path: KeyPath) -> str | None:
        """The value that *reference* points to; None, and a complaint, where there is none."""
        kind, _, name = reference.partition(":")
        ways = {"env": self._variable, "file": self._file, "credential": self._credential}
        value = ways[kind](name, path)
        if value is not None:
            self.secrets.add(value)
        return value

    def _variable(self, name: str, path: KeyPath) -> str | None:
        self.variables.add(name)
        value = self.environ.get(name, "")
        if not value:
            self.complaints.add(path, f"environment variable {name or '(no name)'} is not set")
            return None
        return value

    def _credential(self, name: str, path: KeyPath) -> str | None:
        directory = self.environ.get(CREDENTIALS, "")
        if not directory:
            mend = (
                "systemd sets it (LoadCredential=), our image too; by hand, name the folder in it"
            )
            self.complaints.add(path, f"environment variable {CREDENTIALS} is not set; {mend}")
            return None
        if not name or name == ".." or Path(name).name != name:
            self.complaints.add(path, "is no name of a credential; write it without a path")
            return None
        return self._file(str(Path(directory) / name), path)

    def _file(self, name: str, path: KeyPath) -> str | None:
        file = self.base / Path(name).expanduser()
        try:
            value = self._text(file)
        except (OSError, ValueError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else str(fault)
            self.complaints.add(path, f"secret file {file} cannot be read ({why}); mend the path")
            return None
        if not value:
            self.complaints.add(path, f"secret file {file} is empty; write the secret into it")
            return None
        if file.stat().st_mode & stat.S_IROTH:
            self.complaints.warn(path, f"secret file {file} can be read by everybody; chmod o-r")
        return value

    @staticmethod
    def _text(file: Path) -> str:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ValueError("it is over 64 KiB")
        try:
            return raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError("it is no UTF-8 text") from None
