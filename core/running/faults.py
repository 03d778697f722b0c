"""Faults of the program to Sentry, where the settings name a project; secrets and texts kept out.

What is told is what the log says as an error: a bug, by its type, its places in the code and the
words of our own line. Neither what an exception says (it may quote a row) nor the values of
variables, requests or the machine's name go along.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from core import errors

try:
    import sentry_sdk
except ImportError as fault:
    raise ImportError("telling Sentry needs an extra: pip install 'replyby[sentry]'") from fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.configuration.telemetry import Sentry
    from core.log import Redaction

FAREWELL = 1.5
"""Seconds for what is left to leave when we stop."""
TOLD = ("loop", "account", "stream", "notifier", "connector", "kind", "error", "trace")
"""Fields of a line of ours that go along: names of the settings, words of closed lists, places."""


class Teller(logging.Handler):
    """Sends each line of the log that is an error."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__(logging.ERROR)
        self._redaction = redaction

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of one line; never of what the sender itself complains of."""
        if record.name.startswith(("sentry_sdk", "urllib3")):
            return
        line: Any = self._redaction.value(record.msg) if isinstance(record.msg, dict) else {}
        event = str(line.get("event", f"an error of {record.name}"))
        with sentry_sdk.new_scope() as scope:
            for field in TOLD:
                if field in line:
                    scope.set_extra(field, line[field])
            scope.fingerprint = [event, str(line.get("error")), *(line.get("trace") or ())[-1:]]
            if record.exc_info and record.exc_info[1]:
                scope.capture_exception(record.exc_info[1])
            else:
                scope.capture_message(event, level="error")


@contextmanager
def told(options: Sentry, redaction: Redaction) -> Iterator[None]:
    """Tell the project of what the log says as errors meanwhile, and of what ends us."""

    def plain(event: Any, _hint: Any) -> Any:
        for one in event.get("exception", {}).get("values", []):
            _keep_type(one, redaction)
        for part in ("server_name", "modules", "user", "request", "breadcrumbs"):
            event.pop(part, None)
        return event

    sentry_sdk.init(
        dsn=options.dsn.get_secret_value(),
        release=f"replyby@{version('replyby')}",
        environment=options.environment,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        send_client_reports=False,
        auto_session_tracking=False,
        max_breadcrumbs=0,
        before_send=plain,
        shutdown_timeout=FAREWELL,
    )
    teller = Teller(redaction)
    logging.getLogger().addHandler(teller)
    try:
        yield
    except Exception as fault:
        if not isinstance(fault, errors.Error):
            sentry_sdk.capture_exception(fault)
        raise
    finally:
        logging.getLogger().removeHandler(teller)
        sentry_sdk.get_client().close(timeout=FAREWELL)
        sentry_sdk.get_global_scope().set_client(None)


def _keep_type(told: dict[str, Any], redaction: Redaction) -> None:
    """Of an exception what it is; what it says only where it is one of ours."""
    ours = str(told.get("module") or "").startswith(errors.__name__)
    told["value"] = redaction.text(str(told.get("value") or "")) if ours else ""
