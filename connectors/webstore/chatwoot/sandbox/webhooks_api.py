"""Webhooks of an account: an administrator lists, makes, changes and removes them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from connectors.webstore.chatwoot.sandbox import access, payload
from connectors.webstore.chatwoot.sandbox.access import Refusal
from connectors.webstore.chatwoot.sandbox.desk import EVENTS, Webhook


async def listed(request: web.Request) -> web.Response:
    """All of them."""
    account = access.administrator(request)
    found = [payload.webhook(one, account.id) for one in account.webhooks.values()]
    wrapped = account.desk.habits.enveloped
    return access.reply({"payload": {"webhooks": found}} if wrapped else found)


async def made(request: web.Request) -> web.Response:
    """A new one; an address may be there once."""
    account = access.administrator(request)
    told = await _told(request)
    url, wanted = _url(told), _subscriptions(told)
    if any(one.url == url for one in account.webhooks.values()):
        raise Refusal(422, "Url has already been taken")
    return _shown(account.add_webhook(url, wanted, str(told.get("name", ""))), account.id, request)


async def changed(request: web.Request) -> web.Response:
    """What is named of it changes."""
    account = access.administrator(request)
    one, told = _known(request), await _told(request)
    if "url" in told:
        one.url = _url(told)
    if "subscriptions" in told:
        one.subscriptions = _subscriptions(told)
    one.name = str(told.get("name", one.name))
    return _shown(one, account.id, request)


async def removed(request: web.Request) -> web.Response:
    """It is told nothing any more."""
    account = access.administrator(request)
    del account.webhooks[_known(request).id]
    return web.Response(status=200)


def _known(request: web.Request) -> Webhook:
    account = access.administrator(request)
    wanted = request.match_info["webhook"]
    found = next((one for one in account.webhooks.values() if str(one.id) == wanted), None)
    if found is None:
        raise Refusal(404, "Resource could not be found")
    return found


def _shown(one: Webhook, account: int, request: web.Request) -> web.Response:
    told = payload.webhook(one, account)
    wrapped = request.app[access.DESK].habits.enveloped
    return access.reply({"payload": {"webhook": told}} if wrapped else told)


async def _told(request: web.Request) -> dict[str, Any]:
    try:
        told = json.loads(await request.read())
    except ValueError:
        raise Refusal(400, "There was a problem in the JSON you submitted") from None
    if not isinstance(told, dict):
        raise Refusal(422, "param is missing or the value is empty: webhook")
    return told


def _url(told: dict[str, Any]) -> str:
    url = told.get("url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise Refusal(422, "Url is invalid")
    return url


def _subscriptions(told: dict[str, Any]) -> list[str]:
    wanted = told.get("subscriptions")
    if not isinstance(wanted, list) or not wanted or not set(wanted) <= EVENTS:
        raise Refusal(422, "Subscriptions Invalid events")
    return list(wanted)
