"""A real Dovecot on loopback, without privileges, in a directory that goes away."""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.transport.mailbox import Login
from tests.core import certified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

PASSWORD = 'pa"ss \\wörd'
NOBODY = "nobody"
USERS = tuple(f"user{n}" for n in range(60))

CONFIGURATION = """
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
ssl = yes
ssl_cert = <{place}/cert.pem
ssl_key = <{place}/key.pem
disable_plaintext_auth = yes
login_trusted_networks =
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{place}/mail/%n
mail_max_userip_connections = 8
mailbox_list_index = yes
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {place}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={place}/home/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Gesendet {{
    auto = create
    special_use = \\Sent
  }}
  mailbox "Spam-Ordner" {{
    auto = create
    special_use = \\Junk
  }}
}}
service imap-login {{
  chroot =
  process_min_avail = 0
  inet_listener imap {{
    port = {starttls}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    place: Path
    tls: int
    starttls: int

    def trusting(self) -> ssl.SSLContext:
        """Knows the server's certificate."""
        return ssl.create_default_context(cafile=self.place / "cert.pem")

    def login(self, user: str = "user0", **changes: Any) -> Login:
        given: dict[str, Any] = {
            "host": "localhost",
            "port": self.tls,
            "user": user,
            "password": PASSWORD,
        }
        return Login(**(given | {"tls": "tls"} | changes))

    def beside(self, user: str = "user0") -> imaplib.IMAP4_SSL:
        """The mailbox's owner, at another program."""
        owner = imaplib.IMAP4_SSL("localhost", self.tls, ssl_context=self.trusting())
        owner.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORD}".encode())
        return owner

    def append(self, raw: bytes, at: datetime, user: str = "user0", folder: str = "INBOX") -> None:
        with self.beside(user) as owner:
            when = f'"{at:%d-%b-%Y %H:%M:%S %z}"'
            assert owner.append(folder, None, when, raw)[0] == "OK"

    def drop_in(
        self,
        raw: bytes,
        at: datetime | None = None,
        user: str = "user0",
        name: str = "1",
        place: str = "new",
    ) -> None:
        """As a mail system delivers: written aside, then moved to where it is seen."""
        box = self.place / "mail" / user
        aside = box / "tmp" / name
        aside.write_bytes(raw)
        aside.chmod(0o666)
        if at is not None:
            os.utime(aside, (at.timestamp(), at.timestamp()))
        aside.rename(box / place / (name if place == "new" else f"{name}:2,"))

    def boxes(self, user: str) -> None:
        """An empty mailbox, made before its owner ever logs in."""
        for part in ("", "tmp", "new", "cur"):
            path = self.place / "mail" / user / part
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o777)


def free_ports(count: int) -> list[int]:
    socks = [socket.socket() for _ in range(count)]
    try:
        for sock in socks:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in socks]
    finally:
        for sock in socks:
            sock.close()


def configured(place: Path, owner: pwd.struct_passwd) -> Dovecot:
    """Everything the server needs, in *place*; it belongs to *owner*."""
    server = Dovecot(place, *free_ports(2))
    certified.write(place)
    (place / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in USERS))
    group = grp.getgrgid(owner.pw_gid).gr_name
    (place / "dovecot.conf").write_text(
        CONFIGURATION.format(
            place=place, user=owner.pw_name, group=group, tls=server.tls, starttls=server.starttls
        )
    )
    for name in ("run", "state", "home", "mail"):
        (place / name).mkdir()
    if os.getuid() == 0:
        for path in (place, *place.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    return server


def started(place: Path) -> tuple[Dovecot, subprocess.Popen[bytes]]:
    """A server in *place*, ready; it runs as nobody where we are root."""
    is_root = os.getuid() == 0
    owner = pwd.getpwnam(NOBODY) if is_root else pwd.getpwuid(os.getuid())
    server = configured(place, owner)
    given: dict[str, Any] = (
        {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if is_root else {}
    )
    running = subprocess.Popen(
        [shutil.which("dovecot") or "dovecot", "-F", "-c", place / "dovecot.conf"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **given,
    )
    until = time.monotonic() + 20
    while time.monotonic() < until and running.poll() is None:
        with suppress(OSError, imaplib.IMAP4.error):
            server.beside(USERS[-1]).logout()
            return server, running
        time.sleep(0.05)
    running.kill()
    running.wait()
    raise AssertionError((place / "dovecot.log").read_text())


@contextmanager
def serving(place: Path) -> Iterator[Dovecot]:
    """A server until left."""
    server, running = started(place)
    try:
        yield server
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(10)
