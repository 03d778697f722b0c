"""The kinds of sources that a webstore has, each a folder here; light: no reader is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, field_validator

from connectors.webstore.bigcommerce import entry as bigcommerce
from connectors.webstore.chatwoot import entry as chatwoot
from connectors.webstore.generic import entry as generic
from connectors.webstore.instagram import entry as instagram
from connectors.webstore.kind import StoreOptions
from connectors.webstore.magento import entry as magento
from connectors.webstore.mailbox import entry as mailbox
from connectors.webstore.messenger import entry as messenger
from connectors.webstore.prestashop import entry as prestashop
from connectors.webstore.shopify import entry as shopify
from connectors.webstore.twilio import entry as twilio
from connectors.webstore.whatsapp import entry as whatsapp
from connectors.webstore.woocommerce import entry as woocommerce
from core.errors import Unfit

if TYPE_CHECKING:
    from connectors.webstore.kind import Kind

_ALL: tuple[Kind[Any], ...] = (
    bigcommerce.kind,
    chatwoot.kind,
    generic.kind,
    instagram.kind,
    magento.kind,
    mailbox.kind,
    messenger.kind,
    prestashop.kind,
    shopify.kind,
    twilio.kind,
    whatsapp.kind,
    woocommerce.kind,
)
KINDS: dict[str, Kind[Any]] = {kind.word: kind for kind in _ALL}


class AnyStore(StoreOptions):
    """The options of an account whose kind nobody knows: that alone is complained of."""

    model_config = ConfigDict(extra="ignore", validate_default=True)

    kind: str = ""

    @field_validator("kind")
    @classmethod
    def _is_known(cls, word: str) -> str:
        if not word:
            raise Unfit(f"is missing; write one of {', '.join(KINDS)}")
        if word not in KINDS:
            raise Unfit(f"is no kind of a webstore; write one of {', '.join(KINDS)}")
        return word


def of(options: StoreOptions) -> Kind[Any]:
    """The kind that *options* are of."""
    return KINDS[options.kind]
