"""What is kept, as JSON of Twilio's API of 2010-04-01."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.twilio.sandbox.desk import Account, Call, Message, Number, Recording

VERSION = "2010-04-01"


def date(at: datetime | None) -> str | None:
    """RFC 2822, to the second."""
    return None if at is None else format_datetime(at.astimezone(UTC).replace(microsecond=0))


def message(account: Account, one: Message) -> dict[str, Any]:
    return {
        "account_sid": account.sid,
        "api_version": VERSION,
        "body": one.body,
        "date_created": date(one.created_at),
        "date_sent": date(one.sent_at),
        "date_updated": date(one.updated_at),
        "direction": one.direction,
        "error_code": one.error,
        "error_message": None,
        "from": one.sender,
        "messaging_service_sid": one.service,
        "num_media": str(len(one.media)),
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "sid": one.sid,
        "status": one.status,
        "subresource_uris": {
            "media": f"/{VERSION}/Accounts/{account.sid}/Messages/{one.sid}/Media.json"
        },
        "to": one.to,
        "uri": f"/{VERSION}/Accounts/{account.sid}/Messages/{one.sid}.json",
    }


def media(one: Message) -> list[dict[str, Any]]:
    return [
        {"sid": sid, "parent_sid": one.sid, "content_type": type_,
         "date_created": date(one.created_at)}
        for sid, type_ in one.media
    ]  # fmt: skip


def call(account: Account, one: Call) -> dict[str, Any]:
    return {
        "account_sid": account.sid,
        "answered_by": one.answered_by,
        "api_version": VERSION,
        "date_created": date(one.created_at),
        "date_updated": date(one.created_at),
        "direction": one.direction,
        "duration": str(one.duration),
        "end_time": date(one.created_at),
        "from": one.sender,
        "parent_call_sid": one.parent,
        "sid": one.sid,
        "start_time": date(one.created_at),
        "status": one.status,
        "to": one.to,
        "uri": f"/{VERSION}/Accounts/{account.sid}/Calls/{one.sid}.json",
    }


def recording(account: Account, one: Recording) -> dict[str, Any]:
    return {
        "account_sid": account.sid,
        "call_sid": one.call.sid,
        "channels": 1,
        "date_created": date(one.created_at),
        "date_updated": date(one.created_at),
        "duration": str(one.duration),
        "sid": one.sid,
        "source": one.source,
        "start_time": date(one.created_at),
        "status": one.status,
        "uri": f"/{VERSION}/Accounts/{account.sid}/Recordings/{one.sid}.json",
    }


def transcription(account: Account, one: Recording) -> dict[str, Any]:
    return {
        "account_sid": account.sid,
        "date_created": date(one.created_at),
        "duration": str(one.duration),
        "recording_sid": one.sid,
        "sid": one.text_sid,
        "status": "completed",
        "transcription_text": one.text,
        "type": "fast",
    }


def number(account: Account, one: Number) -> dict[str, Any]:
    return {
        "account_sid": account.sid,
        "phone_number": one.address,
        "sid": one.sid,
        "sms_method": "POST",
        "sms_url": one.sms_url,
        "status_callback": one.status_callback,
        "status_callback_method": "POST",
        "voice_url": "https://demo.twilio.com/docs/voice.xml",
        "capabilities": {"sms": True, "mms": True, "voice": True, "fax": False},
    }
