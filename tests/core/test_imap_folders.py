from __future__ import annotations

import pytest

from core.transport.imap_client import Listed
from core.transport.imap_folders import NAMES, named, roles


def listed(*names, delimiter="/"):
    return [Listed(name, frozenset(), delimiter) for name in ("INBOX", *names)]


def flagged(name, *flags, delimiter="/"):
    return Listed(name, frozenset(flags), delimiter)


def test_the_inbox_is_always_there():
    assert roles([]) == {"inbox": "INBOX"}


def test_what_the_server_says_goes_before_a_name():
    found = roles([*listed("Sent", "Junk"), flagged("Raus", "\\sent"), flagged("Müll", "\\junk")])

    assert found == {"inbox": "INBOX", "sent": "Raus", "junk": "Müll"}


@pytest.mark.parametrize("role", ["sent", "junk"])
def test_each_known_name_is_found_in_any_case(role):
    for name in NAMES[role]:
        assert roles(listed(name.upper()))[role] == name.upper()
        assert roles(listed(f"INBOX.{name}", delimiter="."))[role] == f"INBOX.{name}"


def test_no_name_means_two_things():
    assert not set(NAMES["sent"]) & set(NAMES["junk"])


def test_gmails_folders_in_german_are_found_and_all_mail_is_not_read():
    found = roles(
        [
            *listed("[Gmail]"),
            flagged("[Gmail]/Alle Nachrichten", "\\all"),
            flagged("[Gmail]/Gesendet", "\\sent"),
            flagged("[Gmail]/Spam", "\\junk"),
        ]
    )

    assert found == {"inbox": "INBOX", "sent": "[Gmail]/Gesendet", "junk": "[Gmail]/Spam"}


def test_folders_of_other_people_are_not_ours():
    assert roles(listed("Other Users/bob/Sent", "Archive/Spam")) == {"inbox": "INBOX"}


def test_a_folder_that_cannot_be_opened_is_not_read():
    assert roles([flagged("Sent", "\\noselect"), flagged("Spam", "\\nonexistent")]) == {
        "inbox": "INBOX"
    }


def test_an_accent_written_in_two_signs_is_the_same():
    assert roles(listed("E\u0301le\u0301ments envoye\u0301s"))["sent"].endswith("s")


def test_a_flat_mailbox_has_no_delimiter():
    assert roles([Listed("Sent Items", frozenset(), "")])["sent"] == "Sent Items"


def test_each_mail_programs_folder_for_what_it_sent_is_found_beside_the_servers():
    found = listed("Raus", "Sent Items", "INBOX/Gesendete Objekte", "Junk", "Team/Sent")
    deleted = flagged("Sent", "\\trash")

    assert named([*found, deleted], "sent") == ("Sent Items", "INBOX/Gesendete Objekte")
