"""compose.yaml: every key is one, every path, port, secret and variable leads somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from compose_spec.models import ComposeSpecification
from pydantic import BaseModel, ValidationError

from tests.deploy import dockerfile

ROOT = dockerfile.ROOT
DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
COMPOSE = yaml.safe_load(FILE.read_text())
SERVICES = COMPOSE["services"]
IMAGE = dockerfile.stages(DEPLOY / "Dockerfile")[1][-1]
OUTSIDE = re.compile(r"127\.0\.0\.1:(\d+):(\d+)")


def lost(written, read, path=()):
    """The key paths of what was *written* that a model has not *read*; extensions are nobody's."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            if key not in read:
                if not str(key).startswith("x-"):
                    yield ".".join((*path, str(key)))
            else:
                yield from lost(value, read[key], (*path, str(key)))
    elif isinstance(written, list) and isinstance(read, list):
        for number, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from lost(one, other, (*path, str(number)))


def faults(compose):
    """What the specification's models do not take, and the keys that they pass over."""
    model: BaseModel = ComposeSpecification.model_validate(compose)
    read = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return list(lost(compose, read))


def test_every_key_is_one_of_the_specifications():
    assert faults(COMPOSE) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda c: c["services"]["db"].update(read_onyl=True), "services.db.read_onyl"),
        (lambda c: c["services"]["db"]["healthcheck"].update(retry=1),
         "services.db.healthcheck.retry"),
        (lambda c: c["networks"]["data"].update(internl=True), "networks.data.internl"),
        (lambda c: c.update(volume={}), "volume"),
    ],
)  # fmt: skip
def test_a_misspelt_key_is_found(change, path):
    compose = deepcopy(COMPOSE)
    change(compose)

    assert faults(compose) == [path]


def test_a_wrong_value_is_refused():
    compose = deepcopy(COMPOSE)
    compose["services"]["replyby"]["depends_on"]["db"]["condition"] = "healthy"

    with pytest.raises(ValidationError):
        faults(compose)


def test_the_order_is_database_schema_daemon():
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["command"] == ["migrate"]
    assert SERVICES["replyby"]["depends_on"] == {
        "db": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_hardened(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name == "db" or "cap_add" not in service
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_is_named_without_a_registry_and_with_a_version(name):
    image, _, tag = SERVICES[name]["image"].partition(":")

    assert "." not in image.split("/")[0]
    assert re.match(r"v?\d+", tag)


def test_each_service_says_how_it_is_but_the_one_that_ends():
    asked = {name for name, service in SERVICES.items() if "test" in service.get("healthcheck", {})}

    assert asked | {"replyby", "migrate"} == {*SERVICES}  # the image brings replyby's own
    assert IMAGE.all("HEALTHCHECK")
    assert SERVICES["migrate"]["healthcheck"] == {"disable": True}


def published():
    return {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}


def test_what_is_published_stands_on_this_machine_only_and_the_database_nowhere():
    assert all(OUTSIDE.fullmatch(port) for ports in published().values() for port in ports)
    assert "db" not in published()
    assert SERVICES["db"]["networks"] == ["data"]
    assert COMPOSE["networks"]["data"] == {"internal": True}


@pytest.mark.parametrize("page", ["README.md", "docs/deployment.md"])
def test_every_service_and_port_is_explained(page):
    rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]*) \|", (ROOT / page).read_text())
    told = {name: re.findall(r"\d{4}", ports) for name, ports in rows if name in SERVICES}

    assert told.keys() == SERVICES.keys()
    for name, ports in published().items():
        assert told[name] == [OUTSIDE.fullmatch(port)[1] for port in ports], name


def mounts():
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, target, *mode = volume.split(":")
            yield name, source, target, mode


def test_every_mounted_path_is_a_directory_that_exists_and_is_only_read():
    for name, source, _, mode in mounts():
        if source.startswith("."):
            # Trap: a file that is mounted by itself stays the old one when an editor replaces it.
            assert (DEPLOY / source).is_dir(), (name, source)
            assert mode == ["ro"], (name, source)
        else:
            assert source in COMPOSE["volumes"], (name, source)


def test_nothing_is_declared_that_nobody_uses_and_nothing_used_that_is_not_declared():
    for kind in ("networks", "secrets"):
        used = {entry for service in SERVICES.values() for entry in service.get(kind, ())}
        assert used == COMPOSE[kind].keys()
    named = {source for _, source, _, _ in mounts() if not source.startswith(".")}
    assert named == COMPOSE["volumes"].keys()


def test_the_daemon_finds_its_settings_its_state_and_its_secrets_where_the_image_says():
    environ = IMAGE.pairs("ENV")
    state, settings = json.loads(IMAGE.one("VOLUME"))[0], Path(environ["REPLYBY_SETTINGS"])
    for service in ("replyby", "migrate"):  # of the same settings, or it would be another schema
        found = {target: source for name, source, target, _ in mounts() if name == service}
        assert found == {str(settings.parent): "./etc", state: "state"}
    assert (DEPLOY / "etc" / settings.name).is_file()
    assert environ["CREDENTIALS_DIRECTORY"] == "/run/secrets"
    asked = re.findall(
        r'(?m)^[^#]*"credential:(\w+)"', (DEPLOY / "etc" / "settings.toml").read_text()
    )
    assert asked == SERVICES["replyby"]["secrets"] == SERVICES["migrate"]["secrets"]


def test_prometheus_grafana_and_alertmanager_are_found_under_these_names():
    prometheus = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (daemon,) = (
        found
        for job in prometheus["scrape_configs"]
        if job["job_name"] == "replyby"
        for found in job["dns_sd_configs"]
    )
    (alerting,) = prometheus["alerting"]["alertmanagers"]
    (targets,) = (found["targets"] for found in alerting["static_configs"])
    provisioned = DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    (source,) = yaml.safe_load(provisioned.read_text())["datasources"]
    addresses = [*targets, f"{daemon['names'][0]}:{daemon['port']}", urlsplit(source["url"]).netloc]

    for address in addresses:
        name, _, port = address.partition(":")
        assert port in [OUTSIDE.fullmatch(p)[2] for p in SERVICES[name]["ports"]], address
    assert daemon["names"] == ["replyby"]


@pytest.mark.parametrize(
    ("service", "program"),
    [("prometheus", "prometheus"), ("alertmanager", "prometheus-alertmanager")],
)
@pytest.mark.needs("prometheus", "prometheus-alertmanager")
def test_every_flag_is_one_of_the_programs(service, program):
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    known = set(re.findall(r"--([\w.-]+)", done.stdout + done.stderr))

    given = {flag.partition("=")[0].removeprefix("--") for flag in SERVICES[service]["command"]}
    assert given
    assert given <= known


def draw(base):
    return subprocess.run(
        ["sh", DEPLOY / "make-secrets", base], capture_output=True, text=True, check=False
    )


@pytest.fixture
def drawn(tmp_path):
    """The secrets as `make-secrets` draws them."""
    done = draw(tmp_path)
    if os.geteuid() != 0:
        assert "run it as root" in done.stderr
        pytest.skip("hands files to the users of containers: as root only")
    assert done.returncode == 0, done.stderr
    return tmp_path / "secrets"


def test_every_secret_is_drawn_for_the_user_of_its_container_and_drawn_once(drawn):
    told = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    before = {path.name: path.read_text() for path in drawn.iterdir()}

    assert told == before.keys()
    assert {p.stat().st_mode & 0o777 for p in drawn.iterdir()} == {0o400}
    assert (drawn / "database_url").stat().st_uid == int(IMAGE.one("USER").partition(":")[0])
    assert len(set(before.values())) == len(before)
    assert draw(drawn.parent).stdout.count("kept ") == len(before)
    assert {path.name: path.read_text() for path in drawn.iterdir()} == before


def test_every_address_of_alertmanagers_has_its_file_and_is_asked_for(drawn):
    asked = set(
        re.findall(
            r"_file: /etc/alertmanager/secrets/(\S+)",
            (DEPLOY / "alertmanager" / "alertmanager.yml").read_text(),
        )
    )
    place = drawn.parent / "alertmanager" / "secrets"

    assert {path.name for path in place.iterdir()} == asked
    (place / "on-call").write_text("https://pager.example/token")
    said = draw(drawn.parent).stdout
    assert re.findall(r"EMPTY +\S+/(\S+):", said) == ["deadman", "desk", "channel"]
    assert "NOBODY IS WOKEN" not in said
    assert (place / "on-call").read_text() == "https://pager.example/token"
    (place / "on-call").write_text("")
    assert (
        "/on-call: until the address stands in it, NOBODY IS WOKEN\n" in draw(drawn.parent).stdout
    )


def test_what_a_container_reads_is_readable_whatever_umask_it_was_checked_out_under(drawn):
    base = drawn.parent
    mounted = {base / source for _, source, _, _ in mounts() if source.startswith(".")}
    for place in mounted:
        file = place / "deeper" / "file"
        file.parent.mkdir(parents=True)
        file.touch(0o600)
        for directory in (file.parent, place):
            directory.chmod(0o700)
    (base / "alertmanager" / "secrets" / "on-call").write_text("https://pager.example/token")

    draw(base)

    for place in mounted:
        assert {p.stat().st_mode & 0o077 for p in (place, place / "deeper")} == {0o055}, place
        assert (place / "deeper" / "file").stat().st_mode & 0o777 == 0o644, place
    secrets = (*drawn.iterdir(), *(base / "alertmanager" / "secrets").iterdir())
    assert {p.stat().st_mode & 0o777 for p in secrets} == {0o400}


def test_the_address_of_the_database_is_the_services(drawn):
    url, given = urlsplit((drawn / "database_url").read_text()), SERVICES["db"]["environment"]

    assert (url.hostname, url.port) == ("db", 5432)
    assert (url.username, url.path) == (given["POSTGRES_USER"], f"/{given['POSTGRES_DB']}")
    assert url.password == (drawn / "database_password").read_text()


def test_the_settings_and_every_variable_are_taken_by_the_program(tmp_path):
    (tmp_path / "database_url").write_text("postgresql://replyby:w0rd@db:5432/replyby")
    (tmp_path / "database_url").chmod(0o400)
    image = {k: v for k, v in IMAGE.pairs("ENV").items() if k.startswith("REPLYBY_")}
    environ = {
        **os.environ, **image, **SERVICES["replyby"]["environment"],
        "REPLYBY_SETTINGS": str(DEPLOY / "etc" / "settings.toml"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "REPLYBY_NOTIFIERS__LOG__PATH": str(tmp_path / "notices.jsonl"),
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-m", "core", "check", "--offline"],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    warned = [line for line in said.splitlines() if "warning:" in line]
    outside = [line for line in warned if "can be reached from outside" in line]
    assert sorted(line.split()[1] for line in outside) == ["ops.listen:", "web.listen:"]
    assert [line for line in warned if line not in outside] == [
        "warning: accounts: none is configured; add [accounts.name]"
    ]
