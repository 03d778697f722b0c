"""A Mirakl operator where nothing happens, as a process of its own that others' figures leave out.

Every page of threads holds the same *threads* (none by default), a thread asked for by itself is
gone, there is no order. Prints its port; ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from core.loops import utcnow

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = {"Content-Type": "application/json;charset=UTF-8"}


@contextmanager
def opened(threads: int = 0) -> Iterator[str]:
    """The operator's address."""
    command = [sys.executable, "-m", "benchmarks.quiet_market", str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


def page(threads: int) -> bytes:
    """An answer of M11 with so many threads of two messages each."""
    at = utcnow().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"data": [thread(n, at) for n in range(threads)]}).encode()


def thread(number: int, at: str) -> dict[str, object]:
    name = f"{number:08d}-0000-4000-8000-000000000000"
    people = [
        {"type": "CUSTOMER", "id": f"C{number}", "display_name": "Zenobia Quill"},
        {"type": "SHOP", "id": "2000", "display_name": "Quillons"},
    ]
    said = [
        message(f"{name[:-1]}{place}", at, *pair)
        for place, pair in enumerate([people, people[::-1]], 1)
    ]
    return {
        "id": name,
        "topic": {"type": "FREE_TEXT", "value": "Where is my order?"},
        "entities": [{"type": "MMP_ORDER", "id": f"O-{number}", "label": f"O-{number}"}],
        "authorized_participants": people, "current_participants": people,
        "date_created": at, "date_updated": at,
        "metadata": {"total_count": 2, "last_message_date": at, "shop_reply_needed_since": None},
        "no_store_reply_needed": [], "messages": said,
    }  # fmt: skip


def message(name: str, at: str, sender: dict[str, str], to: dict[str, str]) -> dict[str, object]:
    shown = {"type": f"{sender['type']}_USER", "display_name": sender["display_name"]}
    return {"id": name, "date_created": at, "body": "Good day! " * 40, "from": shown, "to": [to]}


async def serve(threads: int) -> None:
    body = page(threads)
    packed = gzip.compress(body, 6, mtime=0) if threads else body
    headers = {**JSON, "Content-Encoding": "gzip"} if threads else JSON
    nothing = json.dumps({"orders": [], "total_count": 0}).encode()
    page_of = {"/threads": (packed, headers), "/orders": (nothing, JSON), "/account": (b"{}", JSON)}

    async def answer(request: web.Request) -> web.Response:
        for end, (said, with_) in page_of.items():
            if request.path.endswith(end):
                return web.Response(body=said, headers=with_)
        return web.Response(status=404, body=b"{}", headers=JSON)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("threads", type=int)
    asyncio.run(serve(parser.parse_args().threads))
