"""A real Prometheus, a real Alertmanager and a receiver on loopback: what is shipped, faster.

    with Receiver() as heard, alertmanager(tmp / "am", heard) as manager:
        with prometheus(tmp / "prom", {"replyby": [f"127.0.0.1:{port}"]}, manager) as asked:
            asked.until('count(ALERTS{alertstate="firing"}) > 1')
            heard.until(lambda told: told.place == "on-call")

Everything ends with its `with`; what a program said stands in `said.log` of its folder.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import yaml

from tests.acceptance.shop import free_port
from tests.deploy.rules import FOLDER, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Self

PATIENCE = 60.0
"""Seconds for which anything is waited for: only a fault takes so long."""
ROUTES = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
SPAN = re.compile(r"(?P<n>\d+)(?P<unit>ms|[smhd])")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class TooLong(Exception):
    """What was waited for did not come; its message says what there was instead."""


def wait(for_: Callable[[], Any], within: float = PATIENCE, every: float = 0.05) -> Any:
    """What *for_* gives once it is true.

    Raises:
        TooLong: it was not within so many seconds; its message is what it gave last.
    """
    ends = monotonic() + within
    while not (got := for_()):
        if monotonic() > ends:
            raise TooLong(repr(got))
        sleep(every)
    return got


@dataclass(frozen=True, slots=True)
class Told:
    """A message that came to the receiver; *place* is the name of Alertmanager's own receiver."""

    place: str
    payload: Mapping[str, Any]

    @property
    def status(self) -> str:
        """``firing`` or ``resolved``; empty where it was no webhook of Alertmanager's."""
        return str(self.payload.get("status", ""))

    @property
    def alerts(self) -> list[Mapping[str, Any]]:
        """The alerts in it, as Alertmanager's webhook names them."""
        return list(self.payload.get("alerts", ()))

    def names(self) -> set[str]:
        """The names of the alerts in it."""
        return {alert["labels"]["alertname"] for alert in self.alerts}


class Receiver:
    """Takes whatever is posted to it; the path says to whom."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._told: list[Told] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def told(self) -> list[Told]:
        """All that came, in that order."""
        with self._came:
            return list(self._told)

    def until(self, fits: Callable[[Told], bool], within: float = PATIENCE) -> Told:
        """The first message that *fits*, once it is there.

        Raises:
            TooLong: none came; the message lists what did.
        """

        def found() -> Told | None:
            return next((told for told in self._told if fits(told)), None)

        with self._came:
            if not self._came.wait_for(found, within):
                raise TooLong(repr(self._told))
            told = found()
        assert told is not None
        return told

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._came:
                    receiver._told.append(Told(self.path.strip("/"), json.loads(body)))
                    receiver._came.notify_all()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@dataclass(frozen=True, slots=True)
class Server:
    """A program that answers HTTP at *address*, host and port."""

    address: str
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What it answers, read as JSON where it is some; None while it does not answer."""
        parts = urlsplit(f"http://{self.address}")
        link = HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE)
        try:
            packed = None if body is None else json.dumps(body)
            link.request(method, path, packed, {"Content-Type": "application/json"})
            answer = link.getresponse()
            text = answer.read().decode()
        except (OSError, HTTPException):
            return None
        finally:
            link.close()
        if answer.status >= 300:
            raise ValueError(f"{method} {path}: {answer.status} {text}")
        try:
            return json.loads(text)
        except ValueError:
            return text


class Prometheus(Server):
    """What may be asked of a Prometheus."""

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The series that an expression yields now, without the metric's name, and their values."""
        found = self.ask("GET", f"/api/v1/query?{urlencode({'query': expression})}")["data"]
        if found["resultType"] == "scalar":
            return [({}, float(found["result"][1]))]
        return [
            ({k: v for k, v in one["metric"].items() if k != "__name__"}, float(one["value"][1]))
            for one in found["result"]
        ]

    def until(
        self, expression: str, within: float = PATIENCE
    ) -> list[tuple[dict[str, str], float]]:
        """What an expression yields, once it yields something.

        Raises:
            TooLong: it did not; the message lists the alerts that there were.
        """
        try:
            found: list[tuple[dict[str, str], float]] = wait(
                lambda: self.query(expression), within, every=0.2
            )
        except TooLong as late:
            raise TooLong(f"{expression}: nothing; alerts: {sorted(self.firing())}") from late
        return found

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        found = self.query('ALERTS{alertstate="firing"}')
        return {labels["alertname"] for labels, _ in found}

    def alerts(self) -> list[dict[str, Any]]:
        """All alerts that are pending or firing, with their annotations."""
        return list(self.ask("GET", "/api/v1/alerts")["data"]["alerts"])


class Alertmanager(Server):
    """What may be asked of an Alertmanager."""

    def post(self, *alerts: Mapping[str, str], over: bool = False) -> None:
        """Tell it of alerts by their labels; *over*: they have ended."""
        ends = {"endsAt": "2000-01-01T00:00:00Z"} if over else {}
        self.ask("POST", "/api/v2/alerts", [{"labels": dict(each), **ends} for each in alerts])

    def alerts(self) -> list[dict[str, Any]]:
        """Its alerts that are not over, with what holds each back and who is told."""
        return list(self.ask("GET", "/api/v2/alerts"))


@contextmanager
def run(folder: Path, words: Sequence[str], address: str, ready: str) -> Iterator[Server]:
    """A program that listens at *address* and is up once *ready* answers; SIGTERM ends it."""
    with (folder / "said.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    server = Server(address, process)

    def up() -> bool:
        if process.poll() is not None:
            raise TooLong((folder / "said.log").read_text())
        try:
            return server.ask("GET", ready) is not None
        except ValueError:  # 503: it comes up
            return False

    try:
        wait(up)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def prometheus(
    folder: Path,
    targets: Mapping[str, Sequence[str]],
    manager: Alertmanager | None = None,
    *,
    rules: Iterable[Path] | None = None,
    every: str = "500ms",
    pace: float = 60.0,
    most: float = 5.0,
    flags: Sequence[str] = (),
) -> Iterator[Prometheus]:
    """A Prometheus that looks at *targets* by job, with the shipped rules made quick.

    Args:
        folder: its data and its configuration.
        targets: addresses by the name of their job; the rules know `replyby`.
        manager: who is told of alerts; None: nobody.
        rules: rule files as they are to be loaded, in place of the shipped ones made quick.
        every: the interval of scrapes and of rules.
        pace: how many times faster the shipped rules' waits are: the longer one stays longer.
        most: the longest of their waits, in seconds.
        flags: further words of its command line.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = list(rules) if rules is not None else quick(folder, every, pace, most)
    port = free_port()
    configuration: dict[str, Any] = {
        "global": {
            "scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every
        },
        "rule_files": [str(path) for path in written],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(at)}]}
            for job, at in targets.items()
        ],
    }  # fmt: skip
    if manager is not None:
        static = [{"targets": [manager.address]}]
        configuration["alerting"] = {
            "alertmanagers": [{"static_configs": static}],
            "alert_relabel_configs": shipped()["alerting"]["alert_relabel_configs"],
        }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    words = [
        "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        "--rules.alert.resend-delay=1s", *flags,
    ]  # fmt: skip
    with run(folder, words, f"127.0.0.1:{port}", "/-/ready") as server:
        yield Prometheus(server.address, server.process)


@contextmanager
def alertmanager(
    folder: Path, heard: Receiver, *, wait: str = "300ms", again: str = "1s", hours: bool = False
) -> Iterator[Alertmanager]:
    """An Alertmanager with the shipped routes, its receivers all at *heard*, each by its name.

    Groups wait for *wait* at first and for *again* later; without *hours* the desk is open always.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = folder / "alertmanager.yml"
    configuration.write_text(
        yaml.safe_dump(hastened(redirected(folder, heard.url), wait, again, hours=hours))
    )
    words = [
        "prometheus-alertmanager", f"--config.file={configuration}", "--storage.path=data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
    ]  # fmt: skip
    with run(folder, words, f"127.0.0.1:{port}", "/-/ready") as server:
        yield Alertmanager(server.address, server.process)


def shipped() -> dict[str, Any]:
    """The configuration of Prometheus that is shipped."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    return found


def quick(folder: Path, every: str, pace: float, most: float) -> list[Path]:
    """The shipped rules, so often, their waits *pace* times shorter and *most* seconds at most."""
    paths = []
    for name in shipped()["rule_files"]:
        rules = yaml.safe_load((FOLDER / name).read_text())
        for group in rules["groups"]:
            group["interval"] = every
            for rule in group["rules"]:
                for key in {"for", "keep_firing_for"} & rule.keys():
                    rule[key] = f"{round(min(seconds(rule[key]) / pace, most) * 1000)}ms"
        path = folder / name
        path.write_text(yaml.safe_dump(rules, sort_keys=False))
        paths.append(path)
    return paths


def redirected(folder: Path, url: str = "http://127.0.0.1:9") -> dict[str, Any]:
    """The shipped routes with every receiver at *url*, by its name.

    A webhook has `url` for `url_file`, which Alertmanager 0.25 does not know yet.
    """
    routes: dict[str, Any] = yaml.safe_load(ROUTES.read_text())
    routes["templates"] = [str(ROUTES.parent / pattern) for pattern in routes["templates"]]
    for receiver in routes["receivers"]:
        for hook in receiver.get("webhook_configs", ()):
            del hook["url_file"]
            hook["url"] = f"{url}/{receiver['name']}"
        for chat in receiver.get("slack_configs", ()):
            path = folder / f"{receiver['name']}.url"
            path.write_text(f"{url}/{receiver['name']}")
            chat["api_url_file"] = str(path)
    return routes


def hastened(routes: dict[str, Any], wait: str, again: str, *, hours: bool) -> dict[str, Any]:
    """The same with short waits, and without *hours* at any time."""
    pending = [routes["route"]]
    while pending:
        route = pending.pop()
        pending += route.get("routes", [])
        route |= {"group_wait": wait, "group_interval": again}
        if route["receiver"] == "deadman":
            route["repeat_interval"] = again
        if not hours:
            route.pop("active_time_intervals", None)
    return routes


def seconds(span: str) -> float:
    """A span as Prometheus writes it."""
    return sum(int(part["n"]) * UNITS[part["unit"]] for part in SPAN.finditer(span))
