"""Limits, the seller's own name, and pictures."""

from __future__ import annotations

from io import BytesIO

import pytest
from aiohttp import FormData

ANALYTICS = "/developer/analytics/v1_beta"
IMAGES = "/commerce/media/v1_beta/image"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\xff\r\n--" * 20


def rates(answer):
    return {
        (one["apiContext"], one["apiName"]): one["resources"][0]["rates"][0]
        for one in answer.body["rateLimits"]
    }


async def test_limits_count_down_with_each_call_until_their_reset(call, seller, clock):
    path = f"{ANALYTICS}/rate_limit/"
    asked = {"conversation_type": "FROM_MEMBERS"}
    before = rates(await call("GET", path, by="application"))["commerce", "message"]
    await call("GET", "/commerce/message/v1/conversation", params=asked)
    after = rates(await call("GET", path, by="application"))["commerce", "message"]
    assert after["remaining"] == before["remaining"] - 1
    assert after["count"] + after["remaining"] == after["limit"]
    assert after["reset"] == "2026-11-21T08:00:00.000Z"
    assert after["timeWindow"] == 86_400
    clock.advance(hours=20)
    token = seller.application.mint(None, {"https://api.ebay.com/oauth/api_scope"})
    fresh = rates(await call("GET", path, by="application", token=token))
    assert fresh["commerce", "message"]["count"] == 0


async def test_limits_are_asked_for_by_api_and_those_of_post_order_are_told_nowhere(call):
    path = f"{ANALYTICS}/rate_limit/"
    one = {"api_context": "commerce", "api_name": "message"}
    assert list(rates(await call("GET", path, by="application", params=one))) == [
        ("commerce", "message")
    ]
    assert ("sell", "post-order") not in rates(await call("GET", path, by="application"))
    none = await call("GET", path, by="application", params={"api_name": "other"})
    assert (none.status, none.body) == (204, None)


async def test_a_sellers_limits_need_the_sellers_token(call):
    path = f"{ANALYTICS}/user_rate_limit/"
    assert rates(await call("GET", path))["commerce", "message"]["limit"] == 20_000
    assert (await call("GET", path, by="application")).number == 1100


async def test_who_consented_is_told_by_name_or_by_id_alone(call, seller):
    path = "/commerce/identity/v1/user/"
    shown = (await call("GET", path, host="apiz")).body
    assert (shown["username"], shown["userId"]) == ("shop-b", seller.member.user_id)
    seller.member.is_opaque = True
    assert (await call("GET", path, host="apiz")).body["username"] == seller.member.user_id
    assert (await call("GET", path, host="api")).status == 404


async def test_a_picture_is_kept_for_a_while_and_found_by_its_location(call):
    form = FormData({"other": "x"})
    form.add_field("image", PNG, filename="a.png", content_type="image/png")
    made = await call("POST", f"{IMAGES}/create_image_from_file", host="apim", data=form)
    assert made.status == 201
    assert made.body["imageUrl"].startswith("https://")
    where = made.headers["Location"].removeprefix(call.sandbox.hosts["apim"])
    assert (await call("GET", where, host="apim")).body == made.body


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7", PNG + b"x" * 12_000_000], ids=["empty", "pdf", "large"]
)
async def test_what_is_no_picture_or_too_large_is_refused(call, content):
    form = FormData()
    form.add_field("image", BytesIO(content), filename="a.png", content_type="image/png")
    made = await call("POST", f"{IMAGES}/create_image_from_file", host="apim", data=form)
    assert (made.status, made.body["errors"][0]["domain"]) == (400, "API_MEDIA")


async def test_a_picture_in_another_field_is_none(call):
    form = FormData()
    form.add_field("file", PNG, filename="a.png", content_type="image/png")
    made = await call("POST", f"{IMAGES}/create_image_from_file", host="apim", data=form)
    assert made.status == 400


async def test_an_unknown_picture_is_404(call):
    assert (await call("GET", f"{IMAGES}/image-77", host="apim")).status == 404
