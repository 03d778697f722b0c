"""eBay's sites: the number by which the Trading API knows each, and the zone of its days."""

from __future__ import annotations

from typing import NamedTuple


class Site(NamedTuple):
    """A site: *number* is ``X-EBAY-API-SITEID``; *zone* is the one in which its days are cut."""

    number: int
    zone: str


SITES = {
    "EBAY_AT": Site(16, "Europe/Vienna"),
    "EBAY_AU": Site(15, "Australia/Sydney"),
    "EBAY_BE": Site(23, "Europe/Brussels"),
    "EBAY_CA": Site(2, "America/Toronto"),
    "EBAY_CH": Site(193, "Europe/Zurich"),
    "EBAY_DE": Site(77, "Europe/Berlin"),
    "EBAY_ES": Site(186, "Europe/Madrid"),
    "EBAY_FR": Site(71, "Europe/Paris"),
    "EBAY_GB": Site(3, "Europe/London"),
    "EBAY_HK": Site(201, "Asia/Hong_Kong"),
    "EBAY_IE": Site(205, "Europe/Dublin"),
    "EBAY_IT": Site(101, "Europe/Rome"),
    "EBAY_MY": Site(207, "Asia/Kuala_Lumpur"),
    "EBAY_NL": Site(146, "Europe/Amsterdam"),
    "EBAY_PH": Site(211, "Asia/Manila"),
    "EBAY_PL": Site(212, "Europe/Warsaw"),
    "EBAY_SG": Site(216, "Asia/Singapore"),
    "EBAY_US": Site(0, "America/Los_Angeles"),
}
"""By ``MarketplaceIdEnum`` (developer.ebay.com: Site ID to Global ID mapping, read 2026-11-22); of
countries with several zones that of eBay's or the market's seat: only a fallback hangs on it."""
