"""What can be wrong with an answer on its way: cut, broken off, never ending."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterator

PADDING = b" " * 2**16
"""White space before a JSON document ends: whoever reads by the piece cannot complain of it."""


def cut(request: web.Request) -> web.StreamResponse:
    """Nothing: the connection is gone."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def slow(response: web.StreamResponse, seconds: float) -> web.StreamResponse:
    """The answer, later."""
    await asyncio.sleep(seconds)
    return response


async def reset(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The headers and the first half of the answer, then nothing more."""
    body = body_of(response)
    half = await _begun(request, response, len(body))
    await half.write(body[: len(body) // 2])
    cut(request)
    return half


async def drip(
    request: web.Request, response: web.StreamResponse, seconds: float
) -> web.StreamResponse:
    """The answer byte by byte, *seconds* apart, and white space when it has come to its end."""
    begun = await _begun(request, response)
    with suppress(ConnectionError):  # whoever asked has had enough
        for byte in _bytes(body_of(response)[:-1]):
            await begun.write(byte)
            await asyncio.sleep(seconds)
    return begun


async def endless(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The answer without its last byte, then white space as fast as it is taken."""
    begun = await _begun(request, response)
    with suppress(ConnectionError):
        await begun.write(body_of(response)[:-1])
        while True:
            await begun.write(PADDING)
            await asyncio.sleep(0)
    return begun


def body_of(response: web.StreamResponse) -> bytes:
    """The bytes of an answer that is not sent yet; empty where it has none."""
    body = response.body if isinstance(response, web.Response) else None
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


def _bytes(body: bytes) -> Iterator[bytes]:
    yield from (body[n : n + 1] for n in range(len(body)))
    while True:
        yield b" "


async def _begun(
    request: web.Request, response: web.StreamResponse, length: int | None = None
) -> web.StreamResponse:
    begun = web.StreamResponse(status=response.status)
    begun.content_type = response.content_type
    begun.content_length = length
    await begun.prepare(request)
    return begun
