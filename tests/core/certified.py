"""Certificates that sign themselves, for servers on loopback."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write(place: Path, host: str = "localhost", kind: str = "DNS") -> tuple[Path, Path]:
    """A certificate for *host* and its key, as ``cert.pem`` and ``key.pem`` in *place*."""
    certificate, key = place / "cert.pem", place / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", f"/CN={host}", "-addext", f"subjectAltName={kind}:{host}",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def serving(place: Path) -> tuple[ssl.SSLContext, Path]:
    """How a server shows a certificate for localhost, and the certificate itself."""
    certificate, key = write(place)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
