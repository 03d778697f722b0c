"""Three small APIs: how many calls are left, who the seller is, and pictures that eBay keeps."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.ebay.sandbox import access
from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.instants import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.ebay.sandbox.applications import Api

ANALYTICS = "/developer/analytics/v1_beta"
IMAGES = "/commerce/media/v1_beta/image"
KEPT = timedelta(days=30)
UNTOLD = frozenset({("sell", "post-order")})
"""Limits that exist and that no call tells."""

LARGEST = 12_000_000
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
"""How the pictures begin that eBay takes."""


def routes(host: str) -> list[web.RouteDef]:
    """Each is on a host of its own."""
    if host == "api":
        return [
            web.get(f"{ANALYTICS}/rate_limit/", rate_limits, name="getRateLimits"),
            web.get(f"{ANALYTICS}/user_rate_limit/", user_rate_limits, name="getUserRateLimits"),
        ]
    if host == "apiz":
        return [web.get("/commerce/identity/v1/user/", user, name="getUser")]
    if host == "apim":
        return [
            web.post(f"{IMAGES}/create_image_from_file", upload, name="createImageFromFile"),
            web.get(f"{IMAGES}/{{image}}", image, name="getImage"),
        ]
    return []


async def rate_limits(request: web.Request) -> web.Response:
    """What the application may call in a day, by API; 204 where it asks for none that exists."""
    application = access.caller(request).application
    used = {api: application.spent(api) for api in application.limits}
    return _limits(request, application.limits, used)


async def user_rate_limits(request: web.Request) -> web.Response:
    """What one seller may be called for in a day."""
    application, seller = access.caller(request).application, access.seller_of(request)
    used = {api: application.spent((seller.member.name, *api)) for api in seller.limits}
    return _limits(request, seller.limits, used)


def _limits(
    request: web.Request, limits: Mapping[Api, int], used: Mapping[Api, int]
) -> web.Response:
    market, query = request.app[access.MARKET], request.query
    reset = stamp(market.resets_at())
    shown = []
    for (context, name), limit in limits.items():
        is_asked = (
            query.get("api_context", context) == context and query.get("api_name", name) == name
        )
        if not is_asked or (context, name) in UNTOLD:
            continue
        count = used[context, name]
        rate = {
            "count": count,
            "limit": limit,
            "remaining": max(limit - count, 0),
            "reset": reset,
            "timeWindow": 86_400,
        }
        resource = {"name": f"{context}.{name}", "rates": [rate]}
        api = {"apiContext": context, "apiName": name, "apiVersion": "v1"}
        shown.append({**api, "resources": [resource]})
    return access.answered({"rateLimits": shown}) if shown else web.Response(status=204)


async def user(request: web.Request) -> web.Response:
    """Who consented: by name, where names are told, and by what never changes."""
    seller = access.seller_of(request)
    return access.answered(
        {
            "userId": seller.member.user_id,
            "username": seller.member.told,
            "accountType": "BUSINESS",
            "registrationMarketplaceId": seller.marketplace,
            "status": "CONFIRMED",
        }
    )


async def upload(request: web.Request) -> web.Response:
    """A picture that eBay keeps for a while; the form's field is ``image``.

    The numbers of the errors are not documented; those here are made up.
    """
    market = request.app[access.MARKET]
    picture = _field(request.content_type, request.headers.get("Content-Type", ""),
                     await request.read())  # fmt: skip
    if not picture or not picture.startswith(PICTURES):
        raise Refusal(400, 190_203, "The image is missing, or of no kind.", domain="API_MEDIA")
    if len(picture) > LARGEST:
        raise Refusal(400, 190_204, "The image is too large.", domain="API_MEDIA")
    name = f"image-{market.numbers.take('image')}"
    market.images[name] = market.clock() + KEPT
    where = f"{access.here(request)}{IMAGES}/{name}"
    return access.answered(_image(request, name), 201, Location=where)


async def image(request: web.Request) -> web.Response:
    """Where a picture is, and until when."""
    name = request.match_info["image"]
    if name not in request.app[access.MARKET].images:
        raise Refusal(404, 190_205, "There is no such image.", domain="API_MEDIA")
    return access.answered(_image(request, name))


def _image(request: web.Request, name: str) -> dict[str, Any]:
    until = request.app[access.MARKET].images[name]
    where = f"https://i.ebayimg.example/images/g/{name}/s-l1600.jpg"
    return {"imageUrl": where, "expirationDate": stamp(until)}


def _field(kind: str, header: str, body: bytes) -> bytes | None:
    """The bytes of the field ``image`` of a form; None where there is none."""
    if kind != "multipart/form-data":
        return None
    whole = b"Content-Type: " + header.encode() + b"\r\n\r\n" + body
    for part in message_from_bytes(whole, policy=policy.HTTP).iter_parts():
        if part.get_param("name", header="Content-Disposition") == "image":
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else None
    return None
