"""``credential:NAME``: a file in the directory that the supervisor names, systemd's way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core import settings
from core.errors import SettingsError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DSN = "postgresql://replyby:w0rd@db/replyby"
TEXT = """
[store]
dsn = "credential:database_url"
[notifiers.log]
kind = "file"
path = "notices.jsonl"
[routes.all]
notifiers = ["log"]
fallback = true
"""


@pytest.fixture
def read(tmp_path):
    def read(text=TEXT, environ=None):
        (tmp_path / "settings.toml").write_text(text)
        environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")} if environ is None else environ
        return settings.load(tmp_path / "settings.toml", {}, environ, sandbox=False, now=NOW)

    return read


def test_a_credential_is_read_where_the_supervisor_put_it(read, tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "database_url").write_text(DSN + "\n")
    (tmp_path / "given" / "database_url").chmod(0o400)

    found = read()

    assert found.store.dsn.get_secret_value() == DSN
    assert found.secrets == {DSN}
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("text", "environ", "fault"),
    [
        (TEXT, {}, "is not set; systemd sets it (LoadCredential=), our image too; by hand"),
        (TEXT, None, "given/database_url cannot be read (No such file or directory)"),
        (TEXT.replace(":database_url", ":../database_url"), None, "is no name of a credential"),
        (TEXT.replace(":database_url", ":/etc/shadow"), None, "is no name of a credential"),
        (TEXT.replace(":database_url", ":.."), None, "is no name of a credential"),
        (TEXT.replace(":database_url", ":"), None, "is no name of a credential"),
    ],
)
def test_a_credential_that_is_not_there_is_a_fault_of_its_key(read, text, environ, fault):
    with pytest.raises(SettingsError) as found:
        read(text, environ)

    (complaint,) = found.value.complaints
    assert complaint.startswith("store.dsn: ")
    assert fault in complaint
