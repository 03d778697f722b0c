"""Who calls whom, who takes it, and what is left on the machine."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

from connectors.webstore.twilio.sandbox.desk import Call, Recording

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.twilio.sandbox.desk import Account, Number

Outcome = Literal["no-answer", "busy", "canceled", "failed", "hung_up", "voicemail", "taken"]
AGENT = "client:agent"
RINGS, SPEAKS = 20, 90
MISSED = ("no-answer", "busy", "canceled", "failed")


def buyer_calls(
    account: Account,
    number: Number,
    theirs: str,
    outcome: Outcome = "no-answer",
    *,
    at: datetime | None = None,
    text: str | None = None,
    agent: str = AGENT,
    caller_id: str | None = None,
) -> Call:
    """Somebody calls. The agent's leg rings first where a flow dials one.

    ``hung_up`` is a call that a machine completed, without a word and without an agent.
    """
    began = at or account.desk.now()
    status = outcome if outcome in MISSED else "completed"
    seconds = 0 if outcome in MISSED else RINGS + SPEAKS
    made = _add(account, Call(account.desk.sid("CA"), theirs, number.address, "inbound", status,
                              began, seconds))  # fmt: skip
    if outcome in {"taken", "voicemail", "no-answer"}:
        leg = "completed" if outcome == "taken" else "no-answer"
        _add(account, Call(
            account.desk.sid("CA"), caller_id or theirs, agent, "outbound-dial", leg,
            began, SPEAKS if outcome == "taken" else 0, made.sid,
        ))  # fmt: skip
    if outcome == "voicemail":
        leave(account, number, made, text)
    account.tell(number.status_callback, call_form(made))
    return made


def leave(account: Account, number: Number, call: Call, text: str | None = None) -> Recording:
    """A voicemail, and what a machine understands of it."""
    made = Recording(account.desk.sid("RE"), call, 17, call.created_at, text=text)
    made.text_sid = account.desk.sid("TR") if text is not None else ""
    account.recordings[made.sid] = made
    account.tell(number.status_callback, recording_form(made))
    if text is not None:
        account.tell(number.status_callback, text_form(made))
    return made


def record_conversation(account: Account, call: Call) -> Recording:
    """A recording of two who speak: no voicemail."""
    made = Recording(
        account.desk.sid("RE"), call, call.duration, call.created_at, source="DialVerb"
    )
    account.recordings[made.sid] = made
    return made


def agent_calls(
    account: Account,
    number: Number,
    theirs: str,
    *,
    answered: bool = True,
    by_dial: bool = False,
    at: datetime | None = None,
) -> Call:
    """The shop calls somebody, by the API or from an agent's own client."""
    began, parent = at or account.desk.now(), None
    status, seconds = ("completed", SPEAKS) if answered else ("no-answer", 0)
    if by_dial:
        parent = _add(account, Call(account.desk.sid("CA"), AGENT, "client:outgoing", "inbound",
                                    "completed", began, SPEAKS)).sid  # fmt: skip
    direction = "outbound-dial" if by_dial else "outbound-api"
    return _add(account, Call(
        account.desk.sid("CA"), number.address, theirs, direction, status,
        began, seconds, parent,
    ))  # fmt: skip


def _add(account: Account, call: Call) -> Call:
    account.calls[call.sid] = call
    return call


def call_form(call: Call) -> dict[str, str]:
    """What is told when a call has ended."""
    return {
        "CallSid": call.sid,
        "From": call.sender,
        "To": call.to,
        "Caller": call.sender,
        "Called": call.to,
        "CallStatus": call.status,
        "Direction": "inbound",
        "CallDuration": str(call.duration),
        "Timestamp": format_datetime(call.created_at),
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "0",
    }


def recording_form(recording: Recording) -> dict[str, str]:
    """What the address in the action of ``<Record>`` is told."""
    call = recording.call
    return {
        "CallSid": call.sid,
        "From": call.sender,
        "To": call.to,
        "CallStatus": "completed",
        "Direction": "inbound",
        "RecordingSid": recording.sid,
        "RecordingUrl": f"https://api.twilio.com/2010-04-01/Recordings/{recording.sid}",
        "RecordingDuration": str(recording.duration),
        "Digits": "hangup",
    }


def text_form(recording: Recording) -> dict[str, str]:
    """What the address for transcriptions is told."""
    call = recording.call
    return {
        "CallSid": call.sid,
        "From": call.sender,
        "To": call.to,
        "CallStatus": "completed",
        "Direction": "inbound",
        "RecordingSid": recording.sid,
        "TranscriptionSid": recording.text_sid,
        "TranscriptionStatus": "completed",
        "TranscriptionText": recording.text or "",
    }
