"""What `make afresh` removes, and when it does not."""

from __future__ import annotations

import os
import shutil

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from core.commands.afresh import afresh
from core.store import pgcluster
from core.store.locks import Lock

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root runs PostgreSQL as another user"
)


VAR = "closed/var"


def begin(place, *words, var="var", asked=None):
    call = [str(place / var), "--elsewhere", str(place / "lib"), *words]
    return CliRunner().invoke(afresh, call, input=asked)


@pytest.fixture
def state(tmp_path):
    """A state directory with data inside, as a user has it who is not root."""
    data = tmp_path / "var" / "postgres" / "cluster" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    (tmp_path / "var" / "notices.jsonl").write_text("{}\n")
    return tmp_path


@pytest.fixture
def linked(place):
    """A state directory whose database lies elsewhere, as root has it."""
    (place / "closed").mkdir(mode=0o700)
    home, _ = pgcluster.settle(place / VAR, place / "lib")
    home.data.mkdir()
    (place / "lib" / "of another").mkdir()
    return place, home


def test_it_removes_what_lies_in_the_state_directory(state):
    told = begin(state, "--yes")

    assert told.exit_code == 0
    assert str(state / "var" / "postgres") in told.output
    assert not list((state / "var").iterdir())


@pytest.mark.parametrize("asked", ["n\n", "\n", ""])
def test_it_removes_nothing_unless_a_person_says_yes(state, asked):
    assert begin(state, asked=asked).exit_code == 1
    assert (state / "var" / "postgres" / "cluster" / "data" / "PG_VERSION").exists()
    assert (state / "var" / "notices.jsonl").exists()
    assert begin(state, asked="y\n").exit_code == 0


@pytest.mark.parametrize("lock", ["daemon_lock", "server_lock"])
def test_it_removes_nothing_while_somebody_uses_it(state, lock):
    home = pgcluster.Home(state / "var" / "postgres")
    with Lock(getattr(home, lock)) as held:
        assert held.take()
        told = begin(state, "--yes")

    assert told.exit_code == 1
    assert "is in use: stop the daemon" in told.output
    assert home.data.exists()
    assert (state / "var" / "notices.jsonl").exists()


def test_where_nothing_is_it_says_so(tmp_path):
    assert "holds nothing" in begin(tmp_path).output


@root_only
def test_it_removes_what_the_link_leads_to_and_nobody_elses(linked):
    place, home = linked

    assert begin(place, "--yes", var=VAR).exit_code == 0
    assert not home.directory.exists()
    assert (place / "lib" / "of another").exists()


@root_only
def test_it_removes_the_data_whose_link_is_gone(linked):
    place, home = linked
    shutil.rmtree(place / VAR)

    assert str(home.directory) in begin(place, "--yes", var=VAR).output
    assert not home.directory.exists()


@root_only
def test_a_start_that_finds_data_whose_link_is_gone_says_so(linked):
    place, home = linked
    shutil.rmtree(place / VAR)

    with capture_logs() as log:
        again, _ = pgcluster.settle(place / VAR, place / "lib")

    assert again == home
    assert [line["event"] for line in log] == ["postgres found elsewhere"]
