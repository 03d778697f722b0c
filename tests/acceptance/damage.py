"""What befalls a page's bytes: on the way, in a proxy, in somebody's encoder."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

from tests.acceptance.moulds import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

HTML = f"<!doctype html><title>503</title><h1>{CANARY}</h1>".encode()


def _cut(random: Random, body: bytes) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _trailed(random: Random, body: bytes) -> bytes:
    return body + random.choice((b"garbage", b"}", body, b"\x00" * 9, b",", b"\n{}", b"// end"))


def _led(random: Random, body: bytes) -> bytes:
    return random.choice((b")]}',\n", b"callback(", b"\x00", b"[", HTML, b"\xfe")) + body


def _flipped(random: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(random.choice((1, 2, 20))):
        if changed:
            changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _holed(random: Random, body: bytes) -> bytes:
    at = random.randrange(len(body) + 1)
    return body[:at] + body[at + random.choice((1, 7, 300)) :]


def _stuttered(random: Random, body: bytes) -> bytes:
    at = random.randrange(len(body) + 1)
    return body[:at] + body[max(0, at - random.choice((1, 40, 500))) :]


def _other(random: Random, body: bytes) -> bytes:
    return random.choice((
        b"", b" ", b"null", b"[]", b"{}", b"0", b'"text"', b"true", b"NaN", HTML, b"\x00" * 99,
        b"\x1f\x8b\x08\x00" + body[:50], random.randbytes(300), b"<?xml version='1.0'?><a/>",
        b"[" * 100_000, b'{"data":' * 5_000, b'{"data":null}', b'{"data":[null]}', b"\xff\xfe",
        b'{"orders":{}}', b'{"reasons":0}', gzip.compress(body)[:80], b"'" + body + b"'",
    ))  # fmt: skip


def _commented(random: Random, body: bytes) -> bytes:
    return body.replace(b", ", random.choice((b",,", b", /* */", b";", b" ")), 1)


def _marked(random: Random, body: bytes) -> bytes:
    return b"\xef\xbb\xbf" + body


def _wide(random: Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    return text.encode(random.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32")), "replace")


def _spaced(random: Random, body: bytes) -> bytes:
    return b"\r\n\t " * 50 + body + b" \n" * 50


def _unescaped(random: Random, body: bytes) -> bytes:
    """The same in plain UTF-8, with some control characters as they are."""
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return body
    return text.replace(f"{CANARY} ", f"{CANARY}\n\t").encode("utf-8", "replace")


HARMFUL: tuple[Callable[[Random, bytes], bytes], ...] = (
    _cut, _trailed, _led, _flipped, _holed, _stuttered, _other, _commented,
)  # fmt: skip
HARMLESS: tuple[Callable[[Random, bytes], bytes], ...] = (_marked, _wide, _spaced, _unescaped)
"""After these every item is still to be read."""


def on_the_wire(random: Random, body: bytes) -> tuple[bytes, Mapping[str, str], int, bool]:
    """The body as it is sent, its headers, how many bytes are held back; whether it is readable."""
    kind = random.randrange(8)
    plain = {"Content-Type": "application/json"}
    if kind == 0:
        return gzip.compress(body), {**plain, "Content-Encoding": "gzip"}, 0, True
    if kind == 1:
        packed = bytearray(gzip.compress(body))
        packed[random.randrange(len(packed))] ^= 1 << random.randrange(8)
        return bytes(packed), {**plain, "Content-Encoding": "gzip"}, 0, False
    if kind == 2:
        return gzip.compress(body)[:-9], {**plain, "Content-Encoding": "gzip"}, 0, False
    if kind == 3:
        return body, {**plain, "Content-Encoding": random.choice(("gzip", "br", "zstd"))}, 0, False
    if kind == 4:
        return body, plain, 1 + random.randrange(max(1, len(body))), False
    kinds = ("text/html", "application/json; charset=utf-16", "", "application/json;charset=\xff",
             "application/json; charset=zip", "application/json; charset=latin-1")  # fmt: skip
    kind_of = random.choice(kinds if body.isascii() else kinds[:1])
    return body, {"Content-Type": kind_of}, 0, True
