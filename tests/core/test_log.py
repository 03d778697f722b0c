from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from core import log

CANARY = "c4n4ry-9f3a-value"


@pytest.fixture
def written():
    """The lines of the log; structlog and logging are as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    old = structlog.get_config()
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    structlog.configure(**old)


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_an_event_with_fields(written):
    log.set_up("json", stream=written)

    with structlog.contextvars.bound_contextvars(account="conrad-de"):
        structlog.get_logger().info("polled", new=3, seconds=0.4)

    (line,) = lines(written)
    assert line.items() >= {
        "event": "polled", "level": "info", "account": "conrad-de", "new": 3, "seconds": 0.4,
    }.items()  # fmt: skip
    assert str(line["timestamp"]).endswith("Z")


def test_the_level_leaves_quieter_lines_out(written):
    log.set_up("json", "warning", stream=written)

    structlog.get_logger().info("polled")
    logging.getLogger("aiohttp").info("noise")
    structlog.get_logger().warning("told")

    assert [line["event"] for line in lines(written)] == ["told"]


def test_lines_of_libraries_have_the_same_shape(written):
    log.set_up("json", stream=written)

    logging.getLogger("asyncpg").warning("lost %s", "connection", extra={"port": 5432})

    (line,) = lines(written)
    assert (line["event"], line["logger"], line["port"]) == ("lost connection", "asyncpg", 5432)


@pytest.mark.parametrize(
    "key",
    ["authorization", "access_token", "client_secret", "Password", "api_key", "api-key", "apiKey",
     "Set-Cookie", "dsn", "x-signature"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_is_hidden_by_the_name_of_its_key(written, key, form):
    log.set_up(form, stream=written)

    structlog.get_logger().warning("called", **{key: CANARY}, headers={key: CANARY})
    structlog.get_logger().warning("called", items=[{"deep": ({key: CANARY},)}])
    logging.getLogger("aiohttp").warning("called", extra={key: CANARY})

    assert CANARY not in written.getvalue()
    assert log.HIDDEN in written.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"Basic {CANARY}==",
        f"postgresql://replyby:{CANARY}@db.example/replyby",
        f"GET /x?access_token={CANARY}&page=1",
        f"{{'api_key': '{CANARY}'}}",
        f"refresh Atzr|{CANARY}",
        f"buyer {CANARY}@mail.example wrote",
        f"eyJhbGciOiJI.{CANARY}.sig",
    ],
)
def test_a_secret_is_hidden_by_the_shape_of_its_value(written, text):
    log.set_up("json", stream=written)

    structlog.get_logger().warning(text, note=text, fault=ValueError(text))
    logging.getLogger("aiohttp").warning("%s", text)

    assert CANARY not in written.getvalue()


def test_what_the_settings_hold_is_hidden_wherever_it_stands(written):
    redaction = log.set_up("json", secrets=[CANARY], stream=written)
    redaction.hide(["second-canary"])

    structlog.get_logger().warning(f"odd {CANARY}", note=f"x{CANARY}x second-canary")

    assert "canary" not in written.getvalue().replace(CANARY, "canary")


def test_a_complaint_about_a_secret_stays_readable(written):
    log.set_up("json", stream=written)
    complaint = "accounts.x.options.api_key: environment variable MIRAKL_KEY is not set"

    structlog.get_logger().warning("settings not taken over", complaints=[complaint])

    assert lines(written)[0]["complaints"] == [complaint]


def test_a_short_secret_does_not_hide_common_words(written):
    log.set_up("json", secrets=["", "a"], stream=written)

    structlog.get_logger().warning("a walk ended")

    assert lines(written)[0]["event"] == "a walk ended"


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_locals(written, form):
    log.set_up(form, stream=written)

    def fails() -> None:
        held = CANARY[::-1]
        raise ValueError(len(held))

    try:
        fails()
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("asyncio").exception("failed")

    assert CANARY[::-1] not in written.getvalue()
    assert "fails" in written.getvalue()


def test_a_traceback_hides_secrets_in_the_error_itself(written):
    log.set_up("json", secrets=[CANARY], stream=written)

    def fails() -> None:
        raise ValueError(f"cannot use {CANARY}")

    try:
        fails()
    except ValueError:
        structlog.get_logger().exception("failed")

    assert CANARY not in written.getvalue()
    assert "cannot use" in written.getvalue()


def test_a_terminal_gets_readable_lines_and_a_file_json(written):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    log.set_up("auto", stream=screen)
    structlog.get_logger().info("polled")
    log.set_up("auto", stream=written)
    structlog.get_logger().info("polled")

    assert not screen.getvalue().startswith("{")
    assert lines(written)[0]["event"] == "polled"


@pytest.mark.parametrize("library", ["imapclient.imaplib", "imapclient.imapclient", "mail.log"])
def test_no_library_tells_what_letters_say_however_much_is_asked_for(written, library):
    log.set_up("json", "debug", stream=written)

    logging.getLogger(library).debug("C: %s", CANARY)
    logging.getLogger(library).info("S: %s", CANARY)

    assert lines(written) == []
