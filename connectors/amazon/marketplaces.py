"""Amazon's marketplaces: id, country, domain, Seller Central, region, zone.

Ids, countries and regions as published (developer-docs.amazon.com/sp-api: marketplace-ids,
sp-api-endpoints, read 2026-11-21). Zones are ours: the end of a day that a letter names. Where a
country has several, the one of its large cities where the day ends first: a deadline read too early
is told too early, one read too late is missed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Region = Literal["na", "eu", "fe"]


class Marketplace(NamedTuple):
    """One marketplace: *tld* is what follows ``amazon.``; *seller_central* a host."""

    id: str
    country: str
    tld: str
    seller_central: str
    region: Region
    zone: str


EUROPE = "sellercentral-europe.amazon.com"
JAPAN = "sellercentral-japan.amazon.com"


def _one(
    id_: str, country: str, tld: str, region: Region, zone: str, host: str = ""
) -> Marketplace:
    return Marketplace(id_, country, tld, host or f"sellercentral.amazon.{tld}", region, zone)


ALL = (
    _one("A2EUQ1WTGCTBG2", "CA", "ca", "na", "America/Toronto"),
    _one("ATVPDKIKX0DER", "US", "com", "na", "America/New_York"),
    _one("A1AM78C64UM0Y8", "MX", "com.mx", "na", "America/Mexico_City"),
    _one("A2Q3Y263D00KWC", "BR", "com.br", "na", "America/Sao_Paulo"),
    _one("A28R8C7NBKEWEA", "IE", "ie", "eu", "Europe/Dublin"),
    _one("A1RKKUPIHCS9HS", "ES", "es", "eu", "Europe/Madrid", EUROPE),
    _one("A1F83G8C2ARO7P", "UK", "co.uk", "eu", "Europe/London", EUROPE),
    _one("A13V1IB3VIYZZH", "FR", "fr", "eu", "Europe/Paris", EUROPE),
    _one("AMEN7PMS3EDWL", "BE", "com.be", "eu", "Europe/Brussels"),
    _one("A1805IZSGTT6HS", "NL", "nl", "eu", "Europe/Amsterdam"),
    _one("A1PA6795UKMFR9", "DE", "de", "eu", "Europe/Berlin", EUROPE),
    _one("APJ6JRA9NG5V4", "IT", "it", "eu", "Europe/Rome", EUROPE),
    _one("A2NODRKZP88ZB9", "SE", "se", "eu", "Europe/Stockholm"),
    _one("AE08WJ6YKNBMC", "ZA", "co.za", "eu", "Africa/Johannesburg"),
    _one("A1C3SOZRARQ6R3", "PL", "pl", "eu", "Europe/Warsaw"),
    _one("ARBP9OOSHTCHU", "EG", "eg", "eu", "Africa/Cairo"),
    _one("A33AVAJ2PDY3EV", "TR", "com.tr", "eu", "Europe/Istanbul"),
    _one("A17E79C6D8DWNP", "SA", "sa", "eu", "Asia/Riyadh"),
    _one("A2VIGQ35RCS4UG", "AE", "ae", "eu", "Asia/Dubai"),
    _one("A21TJRUUN4KGV", "IN", "in", "eu", "Asia/Kolkata"),
    _one("A19VAU5U5O7RUS", "SG", "sg", "fe", "Asia/Singapore"),
    _one("A39IBJ37TRP1C6", "AU", "com.au", "fe", "Australia/Sydney"),
    _one("A1VC38T7YXB528", "JP", "co.jp", "fe", "Asia/Tokyo"),
)

BY_ID = {each.id: each for each in ALL}
BY_TLD = {each.tld: each for each in ALL}

WITHOUT_RELAY = frozenset({"co.za"})
"""No mail exchanger was seen for ``marketplace.amazon.<tld>``."""

RELAY_TLDS = frozenset(BY_TLD) - WITHOUT_RELAY

# Every marketplace answers under its own name too, also where links lead to the common one.
SELLER_CENTRALS = frozenset(
    {EUROPE, JAPAN}
    | {each.seller_central for each in ALL}
    | {f"sellercentral.amazon.{tld}" for tld in BY_TLD}
)


def of(id_: str, tld: str | None = None) -> Marketplace | None:
    """The marketplace that a letter names, else that of the alias's *tld*; None where unknown.

    Never by the order id's prefix, which is no country (trap 9).
    """
    return BY_ID.get(id_.strip()) or (BY_TLD.get(tld) if tld else None)
