"""The nine typed messages of the Messaging API: what each takes. Pure.

They may be sent to a buyer who has not written; none of them answers him, so none ends a clock.
Limits: Amazon's model of the API (messaging v1). Two more were removed there and are offered by
nobody: `negativeFeedbackRemoval`, `amazonMotors`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.amazon.spapi.payload import Message
from core.connector import Action
from core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from connectors.amazon.spapi.payload import Attachment, Link
    from core.connector import Deed

PATH = "/messaging/v1/orders/"

_USUAL = (1, 2000)
ALL = (
    Action("confirmCustomizationDetails", text=(1, 800), files=(0, 5)),
    Action("confirmDeliveryDetails", text=_USUAL),
    Action("confirmOrderDetails", text=_USUAL),
    Action("confirmServiceDetails", text=_USUAL),
    Action("unexpectedProblem", text=_USUAL),
    Action("digitalAccessKey", text=(1, 400), files=(0, 5)),
    Action("invoice", files=(1, 5)),
    Action("warranty", files=(1, 5), has_period=True),
    Action("legalDisclosure", files=(1, 5)),
)
BY_NAME = {one.name: one for one in ALL}

_TAG = re.compile(r"<\s*/?\s*[a-zA-Z!][^<>]*>")
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}\.[^\W\d_]{2,}")
_LAST = timedelta(seconds=1)


def allowed(links: Iterable[Link]) -> tuple[Action, ...]:
    """What Amazon's answer offers of what we know, by the last part of each link's path."""
    offered = {urlsplit(link.href).path.rpartition("/")[2] for link in links}
    return tuple(one for one in ALL if one.name in offered)


def refuses(deed: Deed) -> str | None:
    """Why *deed* is known to be refused; None where it is not."""
    try:
        check(deed)
    except Refused as fault:
        return str(fault)
    return None


def check(deed: Deed) -> None:
    """Refuse what is known to be refused.

    Raises:
        Refused: there is no such message, or it takes something else; it says what.
    """
    form = BY_NAME.get(deed.action)
    if form is None:
        raise Refused(f"{deed.action} is none of: {', '.join(BY_NAME)}", detail="action")
    _check_text(form, deed.text or "")
    least, most = form.files
    if not least <= len(deed.files) <= most:
        raise Refused(f"{form.name} takes {_range(least, most)} files", detail="files")
    if form.has_period != (deed.period is not None):
        word = "needs its first and its last day" if form.has_period else "takes no days"
        raise Refused(f"{form.name} {word}", detail="period")
    if deed.period is not None and deed.period[1] < deed.period[0]:
        raise Refused("the last day lies before the first", detail="period")


def _check_text(form: Action, text: str) -> None:
    least, most = form.text
    if not least <= len(text.strip()) or len(text) > most:
        said = f"takes {_range(least, most)} characters" if most else "takes no text"
        raise Refused(f"{form.name} {said}", detail="text")
    if _TAG.search(text):
        raise Refused("the text holds HTML, which Amazon refuses; write it plainly", detail="html")
    if _ADDRESS.search(text):
        raise Refused("the text holds a mail address, which Amazon refuses", detail="address")


def _range(least: int, most: int) -> str:
    return f"{least} to {most}"


def body(deed: Deed, attachments: tuple[Attachment, ...]) -> Message:
    """What is sent: days begin and end in UTC."""
    first, last = deed.period or (None, None)
    return Message(
        text=deed.text or None,
        attachments=attachments or None,
        coverage_start_date=None if first is None else _begin(first),
        coverage_end_date=None if last is None else _begin(last + timedelta(days=1)) - _LAST,
    )


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(tzinfo=UTC))
