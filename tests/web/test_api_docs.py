"""The examples of the API's page in docs, as whoever reads it runs them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from tests.web import board, programs

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


async def ran(example, base, token):
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", example, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "REPLYBY": base, "TOKEN": token},
    )  # fmt: skip
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return json.loads(told)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_examples_do_what_they_say(pool):
    stage = await programs.seeded(pool)
    token = await programs.token(pool)
    async with board.served(stage) as base:
        found, looked, checked, sent = [await ran(each, base, token) for each in EXAMPLES]

    assert [one["thread"] for one in found["threads"]] == ["T%2F4"]
    assert found["next"]
    assert [(one["thread"], looked["more"]) for one in looked["threads"]] == [("T%2F4", True)]
    assert checked == {"complaints": []}
    assert await pool.fetchrow("select thread, body, written_by from reply where id = $1",
                               sent["reply"]) == ("T/2", "It left yesterday.", "anna")  # fmt: skip
