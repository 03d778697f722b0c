"""The keys with which pushes are signed: elliptic curve P-256, changed now and then."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from random import Random

Digest = Literal["SHA1", "SHA256"]

DIGESTS: dict[Digest, type[hashes.HashAlgorithm]] = {"SHA1": hashes.SHA1, "SHA256": hashes.SHA256}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""How many keys the curve has."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key by the id under which it is fetched."""

    id: str
    secret: ec.EllipticCurvePrivateKey
    digest: Digest

    def public(self) -> dict[str, str]:
        """As it is told: a PEM without a single line break, which no library reads as it is."""
        pem = self.secret.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "key": pem.decode().replace("\n", ""),
            "algorithm": "ECDSA",
            "digest": self.digest,
        }

    def header(self, body: bytes) -> str:
        """What goes with *body* as ``X-EBAY-SIGNATURE``."""
        signature = self.secret.sign(body, ec.ECDSA(DIGESTS[self.digest]()))
        told = {
            "alg": "ecdsa",
            "kid": self.id,
            "signature": b64encode(signature).decode(),
            "digest": self.digest,
        }
        return b64encode(json.dumps(told).encode()).decode()


@dataclass(slots=True)
class Keys:
    """All keys there were, the newest last; the same *random* makes the same keys."""

    random: Random
    known: dict[str, Key] = field(default_factory=dict)

    @property
    def current(self) -> Key:
        """The key that signs now."""
        return list(self.known.values())[-1] if self.known else self.rotate()

    def rotate(self, digest: Digest = "SHA1") -> Key:
        """From now on another key signs, under a new id; the old ones can still be fetched."""
        name = str(UUID(int=self.random.getrandbits(128), version=4))
        secret = ec.derive_private_key(self.random.randrange(1, ORDER), ec.SECP256R1())
        self.known[name] = Key(name, secret, digest)
        return self.known[name]
