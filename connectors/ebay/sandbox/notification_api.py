"""The Notification API: where pushes go, about what, and the keys that signed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from connectors.ebay.sandbox import access, destinations, messages_api
from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.applications import SCOPE
from connectors.ebay.sandbox.destinations import Destination, Subscription
from connectors.ebay.sandbox.pushes import Pushes
from connectors.ebay.sandbox.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.ebay.sandbox.applications import Application
    from connectors.ebay.sandbox.destinations import State
    from connectors.ebay.sandbox.market import Market, Seller
    from connectors.ebay.sandbox.topics import Topic

PUSHES: web.AppKey[Pushes] = web.AppKey("pushes", Pushes)

BASE = "/commerce/notification/v1"
ONE = f"{BASE}/subscription/{{subscription}}"
SUBSCRIBES = f"{SCOPE}/commerce.notification.subscription"
LEAST, USUAL, MOST = 10, 20, 100


def routes(host: str) -> list[web.RouteDef]:
    """All of it is on ``api``."""
    if host != "api":
        return []
    place = f"{BASE}/destination/{{destination}}"
    return [
        web.get(f"{BASE}/config", config, name="getConfig"),
        web.put(f"{BASE}/config", configure, name="updateConfig"),
        web.get(f"{BASE}/topic", topics, name="getTopics"),
        web.get(f"{BASE}/topic/{{topic}}", topic, name="getTopic"),
        web.get(f"{BASE}/public_key/{{key}}", public_key, name="getPublicKey"),
        web.get(f"{BASE}/destination", places, name="getDestinations"),
        web.post(f"{BASE}/destination", add_place, name="createDestination"),
        web.get(place, shown_place, name="getDestination"),
        web.put(place, change_place, name="updateDestination"),
        web.delete(place, remove_place, name="deleteDestination"),
        web.get(f"{BASE}/subscription", subscriptions, name="getSubscriptions"),
        web.post(f"{BASE}/subscription", subscribe, name="createSubscription"),
        web.get(ONE, shown, name="getSubscription"),
        web.put(ONE, change, name="updateSubscription"),
        web.delete(ONE, unsubscribe, name="deleteSubscription"),
        web.post(f"{ONE}/enable", enable, name="enableSubscription"),
        web.post(f"{ONE}/disable", disable, name="disableSubscription"),
        web.post(f"{ONE}/test", test, name="testSubscription"),
    ]


async def config(request: web.Request) -> web.Response:
    """The address of alerts."""
    email = _application(request).subscribed.alert_email
    if not email:
        raise refused(404, 195026, "Configuration Not Found.")
    return access.answered({"alertEmail": email})


async def configure(request: web.Request) -> web.Response:
    """Set the address of alerts: without it nothing else can be set up."""
    email = (await messages_api.body(request)).get("alertEmail")
    if not isinstance(email, str) or "@" not in email:
        raise refused(400, 195025, "Invalid or missing email.")
    _application(request).subscribed.alert_email = email
    return web.Response(status=204)


async def topics(request: web.Request) -> web.Response:
    """All topics, whoever may subscribe to them."""
    return _paged(request, "topics", (one.told() for one in TOPICS.values()))


async def topic(request: web.Request) -> web.Response:
    """One topic, with the versions of its payload."""
    found = TOPICS.get(request.match_info["topic"])
    if found is None:
        raise refused(404, 195002, "Invalid or missing topic id.")
    return access.answered(found.told())


async def public_key(request: web.Request) -> web.Response:
    """A key by the id that a signature names."""
    found = request.app[access.MARKET].keys.known.get(request.match_info["key"])
    if found is None:
        raise refused(404, 195001, "The specified key id is invalid.")
    return access.answered(found.public())


async def places(request: web.Request) -> web.Response:
    """All destinations, their tokens included."""
    known = _application(request).subscribed.destinations.values()
    return _paged(request, "destinations", (one.told() for one in known))


async def shown_place(request: web.Request) -> web.Response:
    """One destination."""
    return access.answered(_place(request).told())


async def add_place(request: web.Request) -> web.Response:
    """A destination that answers the challenge while this call waits."""
    market, application = request.app[access.MARKET], _application(request)
    _require_config(application)
    made = await _asked_place(request, Destination("", "", "", ""))
    made.id = f"destination-{market.numbers.take('destination')}"
    application.subscribed.destinations[made.id] = made
    where = f"{access.here(request)}{BASE}/destination/{made.id}"
    return access.answered({}, 201, Location=where)


async def change_place(request: web.Request) -> web.Response:
    """Set a destination anew; this is what makes one that was marked down good again."""
    known = _place(request)
    asked = await _asked_place(request, known)
    known.name, known.endpoint, known.token = asked.name, asked.endpoint, asked.token
    known.status, known.failures = asked.status, 0
    return web.Response(status=204)


async def remove_place(request: web.Request) -> web.Response:
    """Remove a destination that nothing is pushed to."""
    known, subscribed = _place(request), _application(request).subscribed
    if any(one.destination == known.id for one in subscribed.subscriptions.values()):
        raise refused(409, 195024, "Destination is in use and cannot be deleted.")
    del subscribed.destinations[known.id]
    return web.Response(status=204)


async def subscriptions(request: web.Request) -> web.Response:
    """The subscriptions of whoever calls: a seller's, or the application's own."""
    known = _application(request).subscribed.subscriptions.values()
    seller = access.caller(request).seller
    return _paged(request, "subscriptions", (one.told() for one in known if one.seller is seller))


async def shown(request: web.Request) -> web.Response:
    """One subscription."""
    return access.answered(_subscription(request).told())


async def subscribe(request: web.Request) -> web.Response:
    """Subscribe to a topic; to a seller's with the token of that seller."""
    market, application = request.app[access.MARKET], _application(request)
    _require_config(application)
    asked = await messages_api.body(request)
    chosen = TOPICS.get(str(asked.get("topicId")))
    if chosen is None:
        raise refused(400, 195027, "Invalid or missing topic id.")
    seller = _authorized(request, chosen)
    known = application.subscribed.subscriptions.values()
    if any(one.topic == chosen.id and one.seller is seller for one in known):
        raise refused(409, 195012, "Subscription already exists")
    made = Subscription("", chosen.id, seller, "", chosen.version, market.clock())
    _fill(made, asked, application)
    made.id = f"subscription-{market.numbers.take('subscription')}"
    application.subscribed.subscriptions[made.id] = made
    where = f"{access.here(request)}{BASE}/subscription/{made.id}"
    return access.answered({}, 201, Location=where)


async def change(request: web.Request) -> web.Response:
    """Set a subscription anew."""
    known = _subscription(request)
    _fill(known, await messages_api.body(request), _application(request))
    return web.Response(status=204)


async def unsubscribe(request: web.Request) -> web.Response:
    """End a subscription, whatever its status."""
    del _application(request).subscribed.subscriptions[_subscription(request).id]
    return web.Response(status=204)


async def enable(request: web.Request) -> web.Response:
    """Let pushes come."""
    known = _subscription(request)
    _require_enabled(_application(request), known.destination)
    known.status = "ENABLED"
    return web.Response(status=204)


async def disable(request: web.Request) -> web.Response:
    """Let none come."""
    _subscription(request).status = "DISABLED"
    return web.Response(status=204)


async def test(request: web.Request) -> web.Response:
    """A notification with invented ids is on its way."""
    known = _subscription(request)
    request.app[PUSHES].test(_application(request), known)
    return web.Response(status=202)


def refused(status: int, number: int, message: str) -> Refusal:
    """An error of this API."""
    return Refusal(status, number, message, domain="API_NOTIFICATION")


def _application(request: web.Request) -> Application:
    return access.caller(request).application


def _authorized(request: web.Request, wanted: Topic) -> Seller | None:
    """Whose subscription it is to be.

    Raises:
        Refusal: 403, the token is not of the kind or has not the scopes that the topic needs.
    """
    caller = access.caller(request)
    needed = {*wanted.scopes, SUBSCRIBES} if wanted.scope == "USER" else {SCOPE}
    is_users = caller.seller is not None
    if is_users != (wanted.scope == "USER") or not needed <= caller.token.scopes:
        raise refused(403, 195011, "Not authorized for this topic.")
    return caller.seller


def _require_config(application: Application) -> None:
    if not application.subscribed.alert_email:
        said = "Please provide configurations required for notifications. Refer to /config"
        raise refused(409, 195003, said)


def _require_enabled(application: Application, place: str) -> None:
    if application.subscribed.destinations[place].status != "ENABLED":
        said = "The subscription cannot be enabled since the destination is not enabled."
        raise refused(409, 195015, said)


def _place(request: web.Request) -> Destination:
    known = _application(request).subscribed.destinations
    found = known.get(request.match_info["destination"])
    if found is None:
        raise refused(404, 195022, "Invalid or missing destination id.")
    return found


def _subscription(request: web.Request) -> Subscription:
    known = _application(request).subscribed.subscriptions
    found = known.get(request.match_info["subscription"])
    if found is None or found.seller is not access.caller(request).seller:
        raise refused(404, 195013, "The subscription id does not exist.")
    return found


async def _asked_place(request: web.Request, known: Destination) -> Destination:
    """The destination that the call describes, once it has proven itself."""
    market, application = request.app[access.MARKET], _application(request)
    asked = await messages_api.body(request)
    told = asked.get("deliveryConfig") or {}
    name, status = asked.get("name", ""), asked.get("status", "")
    endpoint, token = told.get("endpoint", ""), told.get("verificationToken", "")
    fault = destinations.fault_of(name, endpoint, token, status)
    if fault is not None:
        raise refused(400, *fault)
    others = [one for one in application.subscribed.destinations.values() if one is not known]
    if any(one.endpoint == endpoint for one in others):
        raise refused(409, 195021, "Destination exists for this endpoint")
    if not await destinations.is_proven(endpoint, token, _code(market)):
        raise refused(409, 195020, "Challenge verification failed for requested endpoint")
    return Destination(known.id, name, endpoint, token, cast("State", status))


def _code(market: Market) -> str:
    return f"{market.random.getrandbits(256):064x}"


def _fill(made: Subscription, asked: dict[str, Any], application: Application) -> None:
    """Take over what the call says of a subscription."""
    told, status, place = (
        asked.get("payload") or {},
        asked.get("status"),
        asked.get("destinationId"),
    )
    if status not in ("ENABLED", "DISABLED"):
        raise refused(400, 195006, "Invalid or missing subscription status.")
    if place not in application.subscribed.destinations:
        raise refused(400, 195007, "Invalid or missing destination id.")
    if told.get("schemaVersion") != TOPICS[made.topic].version:
        raise refused(400, 195008, "Invalid or missing schema version.")
    if told.get("format") != "JSON":
        raise refused(400, 195009, "Specified format is not supported for the topic.")
    if told.get("deliveryProtocol") != "HTTPS":
        raise refused(400, 195010, "Invalid or missing protocol")
    if status == "ENABLED":
        _require_enabled(application, place)
    made.status, made.destination, made.version = status, place, told["schemaVersion"]


def _paged(request: web.Request, name: str, items: Iterable[dict[str, Any]]) -> web.Response:
    """One page; the next begins where its token says."""
    limit, begin = request.query.get("limit", str(USUAL)), request.query.get("continuation_token")
    if not limit.isdigit() or not LEAST <= int(limit) <= MOST:
        raise refused(400, 195004, f"Invalid limit. Supported ranges {LEAST} - {MOST}.")
    if begin is not None and not begin.isdigit():
        raise refused(400, 195005, "Invalid continuation token.")
    known, first = list(items), int(begin or 0)
    end = first + int(limit)
    path = f"{request.path}?limit={limit}"
    page = {"href": path, "limit": int(limit), "total": len(known), name: known[first:end]}
    if end < len(known):
        page["next"] = f"{path}&continuation_token={end}"
    return access.answered(page)
