"""Amazon: buyers' messages as they travel, by relayed mail; answers go back the same way.

No API reads or answers them (trap 1). What needs no network: which letter is which (`kinds`,
`addresses`), what it says (`body`, `deadlines`), what follows from it (`mapping`, `notices`), and
what Amazon asks of a seller (`policies`). Trap numbers are those of README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.amazon import offer, options, policies
from connectors.amazon.options import AmazonOptions
from core.connector import Spec
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.connector import Connector, Transport


def _open(found: AmazonOptions, transport: Transport) -> Connector:
    """The connector; what it reads letters with is loaded for who has an account alone.

    Raises:
        SettingsError: that is not installed.
    """
    try:
        from connectors.amazon import connector  # noqa: PLC0415  # an extra, see above
    except ImportError:
        told = ["an Amazon account reads mail, which needs an extra: install replyby[mail]"]
        raise SettingsError(told) from None
    return connector.Amazon(found, transport)


spec = Spec(
    name="amazon",
    options=AmazonOptions,
    policies=policies.of,
    streams=offer.streams,
    open=_open,
    can=offer.can,
    marketplace=options.marketplace,
    identity=options.identity,
    budget=options.budget,
    operations=offer.OPERATIONS,
    findings=options.findings,
)
