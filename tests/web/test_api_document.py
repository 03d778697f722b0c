"""The API's document: valid, of all that there is, and every answer is as it says."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from core import labels
from core.access import Role
from core.web import site
from core.web.api import models, room
from sla.policy import ThreadKind
from tests.web import board, programs

KNOWN = """
[parameters]
"path.account" = "mk"
"path.thread" = "T1"
"path.macro" = "hello"
"path.reply" = 1
"path.number" = 0
"path.route" = "ops"
"query.q" = "zenobia"
"""
"""That most of what is asked is about a thread that there is."""
SCHEMATHESIS = str(Path(sys.executable).parent / "schemathesis")


def test_the_document_is_valid_openapi():
    OpenAPIV31SpecValidator(room.described()).validate()


def test_every_way_of_the_api_stands_in_the_document_and_none_else():
    asked = {
        (way.method, way.path.replace(":.+", ""))
        for way in site.every()
        if way.path.startswith("/api/") and way.path != room.DOCUMENT
    }
    told = {
        (method.upper(), path)
        for path, methods in room.described()["paths"].items()
        for method in methods
    }

    assert asked == told
    names = [route.name for route in room.ROUTES]
    assert len(names) == len(set(names))


def test_words_of_filters_are_those_that_there_are():
    assert models.Band.__args__ == labels.BANDS
    assert models.Kind.__args__ == tuple(kind.value for kind in ThreadKind)


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("known", "phases"),
    [("", "examples,fuzzing"), (KNOWN, "coverage,fuzzing,stateful")],
    ids=["of anything", "of what there is"],
)
async def test_whatever_is_asked_is_answered_as_the_document_says(pool, tmp_path, known, phases):
    # Of asyncio's debug mode each future reads its stack: four fifths of the board's time here.
    asyncio.get_running_loop().set_debug(enabled=False)
    stage = await programs.seeded(pool)
    secret = await programs.token(pool, Role.ADMIN, name="root")
    await programs.with_file(pool)
    (tmp_path / "schemathesis.toml").write_text(known)
    async with board.counting(stage), board.served(stage) as base:
        process = await asyncio.create_subprocess_exec(
            SCHEMATHESIS, "run", f"{base}{room.DOCUMENT}", "--checks", "all", "--seed", "8",
            "--max-examples", "4", "--phases", phases, "--no-color",
            "--generation-database", "none", "-H", f"Authorization: Bearer {secret}",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await process.communicate()

    lines = [line[:300] for line in told.decode().splitlines()]
    assert process.returncode == 0, "\n".join(lines[-120:])
