from __future__ import annotations

import subprocess
import sys
from importlib import resources

import pytest

from sla.calendar import Calendar, UnknownZoneError
from sla.zones import names, zone


def test_every_zone_of_the_pinned_tzdata_opens():
    assert {zone(name).key for name in names()} == names()
    assert len(names()) > 400


LOOK = """
from datetime import datetime
from zoneinfo import ZoneInfo
from sla.zones import zone
summer = datetime(2026, 6, 1)
assert ZoneInfo("Europe/Berlin").utcoffset(summer).total_seconds() == 9 * 3600
assert zone("Europe/Berlin").utcoffset(summer).total_seconds() == 2 * 3600
"""


def test_zones_come_from_the_pinned_tzdata_and_not_from_the_system(tmp_path):
    """The system's Berlin is Seoul here, and nobody notices."""
    (tmp_path / "Europe").mkdir()
    seoul = resources.files("tzdata.zoneinfo.Asia").joinpath("Seoul").read_bytes()
    (tmp_path / "Europe" / "Berlin").write_bytes(seoul)
    run = subprocess.run(
        [sys.executable, "-c", LOOK], env={"PYTHONTZPATH": str(tmp_path)}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "name",
    [
        "Europe/Berln", "", "../zones", "/etc/localtime", "Europe", "Europe/", "zone.tab",
        "Europe/Berlin\x00", "__init__.py", "Europe//Berlin", "UTC\n",
    ],
)  # fmt: skip
def test_an_unknown_zone_is_refused_by_name(name):
    with pytest.raises(UnknownZoneError, match="unknown time zone"):
        Calendar(name, {})


def test_the_refusal_names_a_zone_that_is_near():
    with pytest.raises(UnknownZoneError, match="did you mean Europe/Berlin"):
        zone("Europe/Berln")
