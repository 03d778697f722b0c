"""`SellingApi`: SP-API and its token endpoint on loopback, for sellers who have consented.

async with SellingApi(clock) as api:
    selling = api.add_selling("eu", ("A1PA6795UKMFR9",))
    selling.bought(spapi_market.Bought("302-1234567-1234567", "A1PA6795UKMFR9", clock()))
    ...  # an account whose `sp_api` is selling.options()
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.amazon.sandbox import spapi_access, spapi_calls, spapi_files
from connectors.amazon.sandbox.spapi_market import SELLINGS, Selling
from core.sandbox.faults import Faults
from core.sandbox.serve import Loopback, Served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

ORDER = "/{region}/orders/2026-01-01/orders/{order}"
MESSAGING = "/{region}/messaging/v1/orders/{order}"
REPORTS = "/{region}/reports/2021-06-30"
UPLOADS = "/{region}/uploads/2020-11-01/uploadDestinations"
SELLERS = "/{region}/sellers/v1/marketplaceParticipations"


def _routes() -> list[web.RouteDef]:
    return [
        web.post("/auth/o2/token", spapi_access.token, name="token"),
        web.get(SELLERS, spapi_calls.participations, name="getMarketplaceParticipations"),
        web.get(ORDER, spapi_calls.order, name="getOrder"),
        web.get(MESSAGING, spapi_calls.actions, name="getMessagingActionsForOrder"),
        web.get(f"{MESSAGING}/attributes", spapi_calls.attributes, name="GetAttributes"),
        web.post(f"{MESSAGING}/messages/{{action}}", spapi_calls.message, name="sendMessage"),
        web.post(
            UPLOADS + r"/{resource:.+}", spapi_files.destination, name="createUploadDestination"
        ),
        web.put("/files/{name}", spapi_files.put, name="putFile"),
        web.get(f"{REPORTS}/reports", spapi_calls.reports, name="getReports"),
        web.post(f"{REPORTS}/reports", spapi_calls.wanted, name="createReport"),
        web.get(f"{REPORTS}/documents/{{name}}", spapi_files.document, name="getReportDocument"),
        web.get("/files/{name}", spapi_files.get, name="getDocument"),
    ]


class SellingApi(Served):
    """Serves while it is entered; sellers may be added at any time.

    *clock* is Amazon's: tokens, addresses and rates go by it. The same *seed* gives the same keys.
    *more* are further routes on the same port, which find *shared* in their application.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        seed: int = 0,
        more: Sequence[web.RouteDef] = (),
        shared: Mapping[web.AppKey[Any], Any] | None = None,
    ) -> None:
        self.faults = Faults(clock, seed, error=spapi_access.error)
        self.sellings: list[Selling] = []
        self._random = Random(seed)
        server = Loopback(
            [*_routes(), *more],
            self.faults,
            clock,
            forms=spapi_access.forms,
            shared={SELLINGS: self.sellings, spapi_access.CLOCK: clock, **(shared or {})},
        )
        super().__init__(server)

    def add_selling(self, region: str, marketplaces: Sequence[str]) -> Selling:
        """A seller of these marketplaces who has consented to an application of his own."""
        selling = Selling(self.url, region, tuple(marketplaces), Random(self._random.random()))
        self.sellings.append(selling)
        return selling
