"""Where Amazon sells and relays mail: the 22 marketplaces with a mail exchanger."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A marketplace: *language* is what its sellers get letters in where Amazon has it."""

    id: str
    tld: str
    language: str
    region: str

    @property
    def relay(self) -> str:
        """The domain of buyers' aliases."""
        return f"marketplace.amazon.{self.tld}"

    @property
    def seller_central(self) -> str:
        """The host that links lead to."""
        return f"sellercentral.amazon.{self.tld}"


NA, EU, FE = "us-east-1", "eu-west-1", "us-west-2"

PLACES = (
    Place("A2EUQ1WTGCTBG2", "ca", "ca", NA),
    Place("ATVPDKIKX0DER", "com", "en", NA),
    Place("A1AM78C64UM0Y8", "com.mx", "es", NA),
    Place("A2Q3Y263D00KWC", "com.br", "pt", NA),
    Place("A28R8C7NBKEWEA", "ie", "en", EU),
    Place("A1RKKUPIHCS9HS", "es", "es", EU),
    Place("A1F83G8C2ARO7P", "co.uk", "en", EU),
    Place("A13V1IB3VIYZZH", "fr", "fr", EU),
    Place("AMEN7PMS3EDWL", "com.be", "fr", EU),
    Place("A1805IZSGTT6HS", "nl", "en", EU),
    Place("A1PA6795UKMFR9", "de", "de", EU),
    Place("APJ6JRA9NG5V4", "it", "it", EU),
    Place("A2NODRKZP88ZB9", "se", "en", EU),
    Place("A1C3SOZRARQ6R3", "pl", "en", EU),
    Place("ARBP9OOSHTCHU", "eg", "en", EU),
    Place("A33AVAJ2PDY3EV", "com.tr", "en", EU),
    Place("A17E79C6D8DWNP", "sa", "en", EU),
    Place("A2VIGQ35RCS4UG", "ae", "en", EU),
    Place("A21TJRUUN4KGV", "in", "en", EU),
    Place("A19VAU5U5O7RUS", "sg", "en", FE),
    Place("A39IBJ37TRP1C6", "com.au", "en", FE),
    Place("A1VC38T7YXB528", "co.jp", "ja", FE),
)

BY_ID = {place.id: place for place in PLACES}
