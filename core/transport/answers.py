"""What an answer means: a status to an error, a header to seconds, bytes to a model. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import (
    BadCredentials,
    BadPayload,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.transport import salvage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

M = TypeVar("M", bound=BaseModel)

# Asked again these may be answered: the server or a machine on the way had a bad moment.
PASSING = frozenset({"network", "408", "425", "500", "502", "503", "504"})

# Python refuses to read a longer integer, and its length must not cost the page.
MOST_DIGITS = 4300

# An odd status that a front server invents (520 ... 530) is a bad moment as well.
FIRST_INVENTED = 506


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came: *headers* to be asked for in lower case, *body* unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def reading_fault(answer: Answer, where: str) -> ConnectorError | None:
    """Why this answer to a question cannot be used; None when it can."""
    status = answer.status
    if answer.ok:
        return None
    common = _common_fault(answer, where)
    if common is not None:
        return common
    if 400 <= status < 500 and status not in {407, 408, 425}:
        return BadPayload(f"{where}: status {status}", raw=answer.body, detail=str(status))
    return Unreachable(
        f"{where}: status {status}", detail=str(status), retry_after=retry_after(answer.headers)
    )


def sending_fault(
    answer: Answer, where: str, explain: Callable[[bytes], str] | None = None
) -> ConnectorError | None:
    """What became of something that was sent; None when it was accepted.

    Only a 4xx is a certain no: whatever else is not 2xx may have been sent. A 408 is the
    exception, since a machine on the way may have given up after the marketplace took it.
    *explain* finds the reason in the body of a refusal.
    """
    status = answer.status
    if answer.ok:
        return None
    common = _common_fault(answer, where)
    if common is not None:
        return common
    if status == 407:
        return Unreachable(f"{where}: the proxy asks for credentials", detail="407")
    if 400 <= status < 500 and status != 408:
        why = explain(answer.body) if explain else ""
        return Refused(f"{where}: status {status}{why and ', '}{why}", detail=str(status))
    return OutcomeUnknown(
        f"{where}: status {status}", detail=str(status), retry_after=retry_after(answer.headers)
    )


def _common_fault(answer: Answer, where: str) -> ConnectorError | None:
    if answer.status in {401, 403}:
        return BadCredentials(
            f"{where}: the key is not accepted (status {answer.status})",
            detail=str(answer.status),
            raw=answer.body,
        )
    if answer.status == 429:
        return RateLimited(f"{where}: too many requests", retry_after=retry_after(answer.headers))
    return None


def is_passing(fault: BaseException) -> bool:
    """Whether asking again within seconds may help."""
    if not isinstance(fault, Unreachable):
        return False
    detail = fault.detail
    return detail in PASSING or (detail.isdigit() and int(detail) >= FIRST_INVENTED)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait as the answer says; None where it does not, or not readably.

    A date is taken against the answer's own ``Date``: the two clocks are the same.
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 10:
        return float(said)
    then, now = http_date(said), http_date(headers.get("date", ""))
    if then is None or now is None:
        return None
    return max(0.0, (then - now).total_seconds())


@lru_cache(1024)
def http_date(text: str) -> datetime | None:
    """The instant that an HTTP date names; None when it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def parsed(answer: Answer, model: type[M], where: str) -> M:
    """The answer's JSON as *model*, all of it or nothing.

    Raises:
        BadPayload: no JSON, or not of the model's shape; it says which field, never its value.
    """
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as fault:
        if not _is_syntax(fault):
            raise _misshapen(answer, fault, where) from None
    try:
        return model.model_validate(decoded(answer, where))
    except ValidationError as fault:
        raise _misshapen(answer, fault, where) from None


def salvaged(
    answer: Answer, model: type[M], where: str, names: tuple[str, ...]
) -> salvage.Salvaged[M]:
    """The answer's JSON as *model*, without the parts that do not fit: see `salvage`.

    Raises:
        BadPayload: no JSON, or the envelope itself is wrong.
    """
    try:
        return salvage.Salvaged(model.model_validate_json(answer.body))
    except ValidationError as fault:
        if fault.error_count() > salvage.MOST_FAULTS:
            raise _misshapen(answer, fault, where) from None
        content = decoded(answer, where)
    try:
        return salvage.read(model, content, names)
    except ValidationError as fault:
        raise _misshapen(answer, fault, where) from None


def decoded(answer: Answer, where: str) -> Any:
    """The answer's JSON.

    What strict JSON refuses but Python can read is read all the same, so that one odd character
    does not cost a page: invalid UTF-8 (U+FFFD in its place), lone surrogates, control characters,
    a byte order mark, another charset. An integer too long for Python is left as its digits.

    Raises:
        BadPayload: no JSON.
    """
    try:
        return json.loads(_text(answer), strict=False, parse_int=_integer)
    except (ValueError, RecursionError):
        raise BadPayload(f"{where}: not JSON", raw=answer.body, detail="not_json") from None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= MOST_DIGITS else digits


def _is_syntax(fault: ValidationError) -> bool:
    return any(each["type"] == "json_invalid" for each in fault.errors(include_url=False))


def _misshapen(answer: Answer, fault: ValidationError, where: str) -> BadPayload:
    return BadPayload(f"{where}: {complaint(fault)}", raw=answer.body, detail="misshapen")


def complaint(fault: ValidationError) -> str:
    """Which fields of a payload are wrong and how, without their values."""
    if (
        fault.error_count() > salvage.MOST_FAULTS
    ):  # to list them would take longer than to find them
        return f"{fault.error_count()} faults"
    errors = fault.errors(include_url=False, include_context=False, include_input=False)
    said = [f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in errors[:3]]
    return ", ".join(said)


def _text(answer: Answer) -> str:
    body = answer.body
    if not _is_utf8(body):
        charset = _charset(answer.headers.get("content-type", ""))
        try:
            return body.decode(charset)
        except (LookupError, ValueError):
            pass
    return body.decode(json.detect_encoding(body), "replace").removeprefix("\ufeff")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return "utf-8"
