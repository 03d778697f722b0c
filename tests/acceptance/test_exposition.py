"""What a daemon with the settings as shipped exports: all of the catalogue, and nothing else."""

from __future__ import annotations

import subprocess
from math import isnan
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from core import labels
from core.web import catalogue
from tests.acceptance.shop import shop_at

if TYPE_CHECKING:
    from collections.abc import Iterator

STOCK = ("process_", "python_")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scrape after the first polls."""
    place = tmp_path_factory.mktemp("exposition")
    place.chmod(0o755)
    with shop_at(place) as shop:
        shop.start()
        shop.until(lambda: shop.total("replyby_polls_total", outcome="success") > 0, 60)
        shop.until(lambda: shop.total("replyby_open_clocks_counted_timestamp_seconds") > 0, 60)
        yield shop.get("/metrics")[1]


@pytest.mark.needs("promtool")
def test_promtool_finds_nothing_amiss(text: str) -> None:
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )

    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_every_metric_of_the_catalogue_is_there_and_no_other(text: str) -> None:
    shown = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    ours = {name for name in shown if not name.startswith(STOCK)}

    assert ours == {family.name for family in catalogue.families()}


def test_each_has_the_labels_that_it_is_told_to_have(text: str) -> None:
    told = {family.name: set(family.labels) for family in catalogue.families()}
    for family in parse_text(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        for sample in family.samples:
            if not name.startswith(STOCK):
                names = set(sample.labels) - {"le"}
                assert names == told.get(name, told.get(f"{name}_info")), sample


def test_no_loop_and_no_outcome_is_unknown_to_the_closed_sets(text: str) -> None:
    """Whoever adds a loop, or an outcome, has to say so in `core.labels`."""
    for family in parse_text(text):
        for sample in family.samples:
            known = {"loop": labels.LOOPS, "outcome": (), "reason": (), "level": labels.LEVELS}
            for label in known.keys() & sample.labels.keys():
                assert sample.labels[label] != labels.OTHER, sample


def test_each_loop_of_a_running_daemon_has_begun(text: str) -> None:
    (family,) = [f for f in parse_text(text) if f.name.startswith("replyby_loop_last_turn")]

    assert {s.labels["loop"] for s in family.samples} == set(labels.LOOPS)
    assert not [s for s in family.samples if isnan(s.value)]
