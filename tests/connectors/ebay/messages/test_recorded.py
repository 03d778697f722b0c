"""Recorded answers, one for each call that is answered: they fit eBay's contract, and are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openapi_schema_validator import OAS30Validator

from connectors.ebay.messages import marking
from connectors.ebay.messages.payload import (
    Conversations,
    Entries,
    Picture,
    Pushed,
    Taken,
    Updates,
)
from core.model import Thread

FILE = "specs/ebay/commerce_message_v1_oas3.json"
SCHEMAS = {
    "conversations": "GetAllMyConversationsResponse",
    "notices": "GetAllMyConversationsResponse",
    "conversation": "GetMessagesByConversationIdResponse",
    "send_message": "SendMessageResponse",
    "bulk_update_conversation": "BulkUpdateConversationsResponse",
}
SEEN_AS_NULL = {"next", "prev"}
"""At the end of a walk, where the contract leaves them out."""


def recorded(name):
    return json.loads((Path(__file__).parent / "recorded" / f"{name}.json").read_text())


@pytest.mark.needs_shared(FILE)
@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items())
def test_a_recorded_answer_fits_ebays_contract(name, schema):
    shared = Path(__file__).resolve().parents[5] / "shared"
    parts = json.loads((shared / FILE).read_text(encoding="utf-8"))["components"]
    for one in parts["schemas"].values():
        one.setdefault("additionalProperties", False)
    told = {k: v for k, v in recorded(name).items() if k not in SEEN_AS_NULL or v is not None}
    found = OAS30Validator({"$ref": f"#/components/schemas/{schema}", "components": parts})

    assert [f"{fault.json_path}: {fault.message}" for fault in found.iter_errors(told)] == []


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("conversations", Conversations), ("notices", Conversations), ("conversation", Entries),
        ("send_message", Taken), ("bulk_update_conversation", Updates),
        ("create_image_from_file", Picture),
    ],
)  # fmt: skip
def test_a_recorded_answer_is_read_as_it_is(name, model):
    read = model.model_validate(recorded(name))

    assert all(getattr(read, field) is not None for field in read.model_fields_set - SEEN_AS_NULL)
    assert read.model_fields_set >= {f for f, i in model.model_fields.items() if i.is_required()}


def test_what_is_pushed_is_read_as_it_is():
    data = recorded("new_message")["notification"]["data"]
    read = Pushed.model_validate(data)

    assert (read.conversation, read.id, read.sender) == ("103", "9003", "quill_zen")


def test_a_sent_message_tells_the_id_under_which_it_is_read():
    assert Taken.model_validate(recorded("send_message")).id == "9100"


def test_of_a_bulk_each_is_told_by_itself():
    """Trap 37."""
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    raw = json.dumps(recorded("bulk_update_conversation")).encode()
    threads = [Thread(id=id_, as_of=now) for id_ in ("101", "102", "103", "104")]

    assert marking.undone(raw, threads) == {
        "102": "bulkUpdateConversation: eBay did not do it",
        "104": "bulkUpdateConversation: eBay does not say that it was done",
    }
    assert set(marking.undone(b"[]", threads)) == {"101", "102", "103", "104"}
