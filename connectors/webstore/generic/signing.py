"""How the store proves what it pushes: the table ``webhook``, and whether it has. Pure.

The digest is over the bytes as they came (trap 15): another spelling of it (hex where base64 is
due) is none.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.webstore import signatures
from connectors.webstore.generic.asking import Header
from connectors.webstore.generic.paths import Path
from core.durations import PositiveDuration
from core.errors import Unfit
from core.options import Part, Secret, SecureUrl
from core.transport import webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.pushes import PushOutcome, PushRequest

BODY, TIMESTAMP, ID = "{body}", "{timestamp}", "{id}"
PLACE = re.compile(r"\{[^{}]*\}")
FRESH = timedelta(minutes=5)
"""As Standard Webhooks and most of those have it that sign a time."""

Encoding = Literal["hex", "base64"]


def _template(text: str) -> str:
    """What is signed, with the body in it.

    Raises:
        Unfit: it has no body, or names what is not known.
    """
    if PLACE.findall(text).count(BODY) != 1 or set(PLACE.findall(text)) - {BODY, TIMESTAMP, ID}:
        raise Unfit('is not what can be signed; write "{body}", "{timestamp}.{body}" or the like,'
                    " with {id} where an id is signed too")  # fmt: skip
    return text


class Webhook(Part):
    """The table ``webhook``: where the store pushes to, how it signs, and where the items are.

    *endpoint* is the public address as the store knows it. *scheme* ``hmac``: a digest by
    *algorithm* over *signs*, keyed by *secret*, in *encoding* behind *prefix* in the header
    *header*; ``standard``: as Standard Webhooks has it; ``shared``: no signature, but *secret*
    itself behind *prefix* in *header*: whoever sees one request can send others. *key_encoding* is
    how the secret is spelt. *part*: the header holds several, like ``t=1700000000,v1=abc``, and the
    signature is this one; *timestamp_part* is then the time. *timestamp_header* is where the
    time stands otherwise, *id_header* the id. *tolerance* is how old what says its time may be.
    *items* is where the messages stand, *when* what must hold of a push that is about one.
    """

    endpoint: SecureUrl
    scheme: Literal["hmac", "standard", "shared"]
    secret: Secret
    key_encoding: Literal["text", "base64", "hex"] = "text"
    header: Header | None = None
    prefix: str = Field(default="", max_length=50)
    part: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]{1,20}$")
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Encoding = "hex"
    signs: Annotated[str, Field(max_length=100), AfterValidator(_template)] = BODY
    timestamp_header: Header | None = None
    timestamp_part: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]{1,20}$")
    timestamp_in: Literal["seconds", "milliseconds"] = "seconds"
    id_header: Header | None = None
    tolerance: PositiveDuration = FRESH
    items: Path
    when: Path | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        self._key_is_readable()
        if (self.header is None) != (self.scheme == "standard"):
            raise Unfit('names the header of the signature unless scheme is "standard"; write'
                        " header, or remove it")  # fmt: skip
        if self.scheme != "hmac" and self._says_more():
            raise Unfit('says how it is signed, which is for scheme "hmac" alone; remove signs,'
                        " part, timestamp_header, timestamp_part and id_header")  # fmt: skip
        has_time = self.timestamp_header is not None or self.timestamp_part is not None
        if has_time != (TIMESTAMP in self.signs):
            raise Unfit(
                "signs a {timestamp} if, and only if, timestamp_header or timestamp_part says where"
                " it stands; a time that is not signed proves nothing"
            )
        if (self.id_header is not None) != (ID in self.signs):
            raise Unfit("signs an {id} if, and only if, id_header says where it stands")
        if self.timestamp_part is not None and self.part is None:
            raise Unfit("has a timestamp_part and no part; write which part is the signature")
        return self

    def _key_is_readable(self) -> None:
        try:
            key(self)
        except ValueError:
            raise Unfit(
                "has a secret that is not spelt as key_encoding says; mend one of the two"
            ) from None

    def _says_more(self) -> bool:
        told = (self.part, self.timestamp_header, self.timestamp_part, self.id_header)
        return self.signs != BODY or any(one is not None for one in told)

    @property
    def is_dated(self) -> bool:
        """Whether a push proves when it was sent."""
        return self.scheme == "standard" or TIMESTAMP in self.signs


class Proven(NamedTuple):
    """What a push proved: when it was *signed_at*, if that, and its *id*, if that."""

    signed_at: datetime | None = None
    id: str | None = None


def key(webhook: Webhook) -> bytes:
    """The key of the digest.

    Raises:
        ValueError: the secret is not spelt as it says.
    """
    secret = webhook.secret.get_secret_value()
    if webhook.scheme == "standard":
        return webhooks.key(secret)
    if webhook.key_encoding == "text":
        return secret.encode()
    return (
        bytes.fromhex(secret) if webhook.key_encoding == "hex" else b64decode(secret, validate=True)
    )


def proven(request: PushRequest, webhook: Webhook, now: datetime) -> Proven | PushOutcome:
    """What *request* proves; a word for why it is not believed."""
    headers = _legible(request.headers)
    if webhook.scheme == "standard":
        return _standard(headers, request.body, webhook, now)
    told = headers.get((webhook.header or "").lower(), "")
    if not told:
        return "no_signature"
    if webhook.scheme == "shared":
        wanted = webhook.prefix + webhook.secret.get_secret_value()
        return Proven() if webhooks.is_same(told, wanted) else "bad_signature"
    return _digest(told, headers, request.body, webhook, now)


def _standard(
    headers: Mapping[str, str], body: bytes, webhook: Webhook, now: datetime
) -> Proven | PushOutcome:
    named = ("webhook-id", "webhook-timestamp", "webhook-signature")
    if not all(headers.get(name) for name in named):
        return "no_signature"
    if not webhooks.holds(key(webhook), headers, body):
        return "bad_signature"
    return _dated(headers["webhook-timestamp"], headers["webhook-id"], webhook, now)


def _digest(
    told: str, headers: Mapping[str, str], body: bytes, webhook: Webhook, now: datetime
) -> Proven | PushOutcome:
    parts = _parts(told) if webhook.part else {}
    stamp, id_ = _stamp(parts, headers, webhook), headers.get((webhook.id_header or "").lower())
    given = parts.get(webhook.part, []) if webhook.part else [told]
    if not given or (TIMESTAMP in webhook.signs and not stamp) or (ID in webhook.signs and not id_):
        return "no_signature"
    wanted = webhook.prefix + _spelt(_content(webhook, stamp or "", id_ or "", body), webhook)
    if not any(webhooks.is_same(one, wanted) for one in given):
        return "bad_signature"
    return _dated(stamp, id_, webhook, now)


def _stamp(
    parts: Mapping[str, list[str]], headers: Mapping[str, str], webhook: Webhook
) -> str | None:
    if webhook.timestamp_part is not None:
        return next(iter(parts.get(webhook.timestamp_part, ())), None)
    return headers.get((webhook.timestamp_header or "").lower())


def _dated(
    stamp: str | None, id_: str | None, webhook: Webhook, now: datetime
) -> Proven | PushOutcome:
    """What is proven is proven for a while only: what is sent again later is a replay."""
    if not webhook.is_dated:
        return Proven(id=id_)
    second = stamp or ""
    if webhook.timestamp_in == "milliseconds" and webhook.scheme == "hmac":
        second = second[:-3] if second.isdigit() else ""
    if not signatures.is_fresh(second, now, webhook.tolerance):
        return "stale"
    return Proven(datetime.fromtimestamp(int(second), UTC), id_)


def _content(webhook: Webhook, stamp: str, id_: str, body: bytes) -> bytes:
    """The bytes that are signed."""
    known = {BODY: body, TIMESTAMP: stamp.encode(), ID: id_.encode()}
    pieces = re.split(f"({PLACE.pattern})", webhook.signs)
    return b"".join(known.get(piece, piece.encode()) for piece in pieces)


def _spelt(content: bytes, webhook: Webhook) -> str:
    digest = hmac.digest(key(webhook), content, webhook.algorithm)
    return digest.hex() if webhook.encoding == "hex" else b64encode(digest).decode()


def _parts(told: str) -> dict[str, list[str]]:
    """``t=1,v1=a,v1=b`` taken apart; some stores write ``;`` between."""
    found: dict[str, list[str]] = {}
    for each in re.split("[,;]", told):
        name, _, value = each.strip().partition("=")
        found.setdefault(name, []).append(value)
    return found


def _legible(headers: Mapping[str, str]) -> dict[str, str]:
    """*headers* without halves of characters, which no signature was made of."""
    return {name: told.encode("utf-8", "replace").decode() for name, told in headers.items()}
