"""The files of an answer: images are taken by eBay's Media API, others lie at a public address.

A message names its files by address; nothing here reaches a buyer before the message does.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError

from connectors.ebay.messages.payload import Picture
from core.errors import OutcomeUnknown, Refused, Unreachable
from core.transport.http import Part
from core.transport.proxy import is_web_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.ebay.access import Access
    from core.model import File

UPLOAD = "createImageFromFile"
PATH = "/commerce/media/v1_beta/image/create_image_from_file"

IMAGES = frozenset(
    f"image/{name}" for name in ("jpeg", "gif", "png", "bmp", "tiff", "avif", "heic", "webp")
)
"""What the Media API takes (developer.ebay.com: createImageFromFile, read 2026-11-22)."""

DOCUMENTS = {
    "application/pdf": "PDF",
    "application/msword": "DOC",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOC",
    "text/plain": "TXT",
}
LINKED = IMAGES | DOCUMENTS.keys()
"""What a message can name by an address: eBay's IMAGE, PDF, DOC and TXT."""

MOST_FILES = 5
LARGEST_IMAGE = 12 * 10**6
"""Bytes (eBay's picture policy, read 2026-11-22)."""

MOST_ENCLOSED = MOST_FILES * LARGEST_IMAGE


def check(files: Sequence[File]) -> None:
    """Refuse what eBay would refuse, before anything leaves.

    Raises:
        Refused: there are too many, or one is too large, of a type that eBay does not take, or lies
            where eBay cannot get it.
    """
    if len(files) > MOST_FILES:
        raise Refused(f"a message takes {MOST_FILES} files at most", detail="files")
    for file in files:
        if file.url is None:
            _check_image(file)
        elif file.media_type not in LINKED:
            raise Refused("a file is no image, PDF, DOC or TXT", detail="files")
        elif not is_public(file.url):
            raise Refused("a file's address is not https, or not public", detail="files")


def _check_image(file: File) -> None:
    if file.media_type not in IMAGES:
        said = "only images go along as they are; other files by a public https address"
        raise Refused(said, detail="files")
    if len(file.content) > LARGEST_IMAGE:
        raise Refused(f"an image has {LARGEST_IMAGE // 10**6} MB at most", detail="files")


def is_public(url: str) -> bool:
    """Whether *url* is one that anybody may open: https, by a host's name in the open Internet."""
    if not is_web_address(url):
        return False
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.username is not None:
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))


async def placed(access: Access, files: Sequence[File]) -> list[dict[str, str]]:
    """The files as a message names them; images that lie nowhere yet are uploaded, one by one.

    Raises:
        Refused, BadCredentials, RateLimited, Unreachable: no message was sent.
    """
    return [
        {
            "mediaName": file.name,
            "mediaType": DOCUMENTS.get(file.media_type, "IMAGE"),
            "mediaUrl": file.url or await _upload(access, file),
        }
        for file in files
    ]


async def _upload(access: Access, file: File) -> str:
    """The address at which eBay shows the image. An upload that got lost may be made again."""
    part = Part("image", file.content, file.media_type, file.name)
    try:
        answer = await access.send("apim", PATH, operation=UPLOAD, form=[part])
    except OutcomeUnknown as fault:
        raise Unreachable(str(fault), detail=fault.detail, retry_after=fault.retry_after) from None
    try:
        url = Picture.model_validate_json(answer.body).url
    except ValidationError:
        url = None
    if not url:
        raise Unreachable(f"{UPLOAD}: eBay took the image and told no address", detail="address")
    return url
