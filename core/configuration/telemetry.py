"""Where traces and faults go, if anywhere: the tables `[otel]` and `[sentry]`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from core.configuration.sections import Section, Url
from core.errors import Unfit


def _headers(written: SecretStr) -> SecretStr:
    """``name=value,name=value``, as OpenTelemetry's own variable has them."""
    pairs = [one.partition("=") for one in written.get_secret_value().split(",")]
    if not all(name.strip() and value.strip() for name, _, value in pairs):
        raise Unfit("is no list of headers; write name=value, several with commas between")
    return written


def _dsn(dsn: SecretStr) -> SecretStr:
    parts = urlsplit(dsn.get_secret_value())
    if parts.scheme not in {"https", "http"} or not parts.username or not parts.path.strip("/"):
        raise Unfit("is no DSN of Sentry; copy it from the project's settings there")
    return dsn


def installed(module: str, extra: str) -> None:
    """Refuse what needs a package that is not here.

    Raises:
        Unfit: *module* is of an *extra* that was not installed.
    """
    try:
        found = find_spec(module)
    except ModuleNotFoundError:  # the package that holds it is not there either
        found = None
    if found is None:
        raise Unfit(f"needs an extra: pip install 'replyby[{extra}]'")


class Otel(Section):
    """A collector of traces that takes OTLP over HTTP; *sample* is the share that is told."""

    endpoint: Url
    headers: Annotated[SecretStr, AfterValidator(_headers)] | None = None
    service: str = Field(default="replyby", min_length=1, max_length=100)
    sample: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _can(self) -> Otel:
        installed("opentelemetry.sdk", "otel")
        return self

    def sent_with(self) -> dict[str, str]:
        """The headers that go with each batch, by name."""
        if self.headers is None:
            return {}
        pairs = (one.partition("=") for one in self.headers.get_secret_value().split(","))
        return {name.strip(): value.strip() for name, _, value in pairs}


class Sentry(Section):
    """A project of Sentry, or of what speaks its protocol: it is told of the program's faults."""

    dsn: Annotated[SecretStr, AfterValidator(_dsn)]
    environment: str = Field(default="production", min_length=1, max_length=64)

    @model_validator(mode="after")
    def _can(self) -> Sentry:
        installed("sentry_sdk", "sentry")
        return self
