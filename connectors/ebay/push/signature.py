"""Whether eBay has signed a push: ECDSA over the very bytes that came (trap 39). Pure."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from connectors.ebay.push.payload import Signature

if TYPE_CHECKING:
    from connectors.ebay.push.payload import PublicKey

HEADER = "x-ebay-signature"
MOST = 2_048
"""So many characters the header has at most: it holds four short words."""

DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA1": hashes.SHA1,
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}
ARMOUR = re.compile(r"-----(?:BEGIN|END) PUBLIC KEY-----|\s")


@dataclass(frozen=True, slots=True)
class Key:
    """A key with the digest that goes with it."""

    public: ec.EllipticCurvePublicKey
    digest: hashes.HashAlgorithm


def read(header: str) -> Signature | None:
    """What a push says of its signature; None where that is none."""
    if len(header) > MOST:
        return None
    try:
        return Signature.model_validate_json(b64decode(header, validate=True))
    except (ValidationError, binascii.Error, ValueError):
        return None


def key(told: PublicKey) -> Key | None:
    """The key as eBay tells it, its PEM without a line break; None where we cannot use it."""
    digest = DIGESTS.get((told.digest or "").upper().replace("-", ""))
    try:
        der = b64decode(ARMOUR.sub("", told.key), validate=True)
        public = serialization.load_der_public_key(der)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    if digest is None or not isinstance(public, ec.EllipticCurvePublicKey):
        return None
    return Key(public, digest())


def is_signed(body: bytes, signed: Signature, by: Key) -> bool:
    """Whether the owner of the key has signed *body*, byte for byte."""
    try:
        by.public.verify(b64decode(signed.signature, validate=True), body, ec.ECDSA(by.digest))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
