"""What an account says to its connector."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of the options, a table of its own in the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Options(Part):
    """What an account says to its connector in the settings; each connector subclasses it.

    A secret is a `SecretStr`; in the settings it is a reference, ``env:NAME`` or ``file:/path``.
    """
