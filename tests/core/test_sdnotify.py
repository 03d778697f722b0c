from __future__ import annotations

import os
import socket

import pytest

from core.running import sdnotify


@pytest.fixture
def systemd(tmp_path, request):
    """A socket as systemd opens one, by a path or in the abstract space."""
    name = f"@replyby-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "n")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name[1:]}" if name[0] == "@" else name)
        listener.settimeout(1)
        yield name, listener


@pytest.mark.parametrize("systemd", ["path", "abstract"], indirect=True)
def test_systemd_hears_every_field(systemd):
    name, listener = systemd

    assert sdnotify.notify("READY=1", "STATUS=3 accounts", environ={"NOTIFY_SOCKET": name})

    assert listener.recv(1000) == b"READY=1\nSTATUS=3 accounts"


def test_nobody_listens_elsewhere(tmp_path):
    assert not sdnotify.notify("READY=1", environ={})
    assert not sdnotify.notify("READY=1", environ={"NOTIFY_SOCKET": str(tmp_path / "gone")})
