"""Marketplaces whose letters reach a shop's mailbox too. Pure (trap 17).

What they relay or tell is read through their own accounts; here it would be counted twice. Domains
of which buyers have addresses (a provider's, as naver.com) are none of a marketplace's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_AMAZON = (
    "com ca com.mx com.br ie es co.uk fr com.be nl de it se pl eg com.tr sa ae in sg com.au co.jp"
)
_EBAY = "com de co.uk fr it es at ch nl be pl ie ca com.au com.hk com.my com.sg ph vn"

DOMAINS: Mapping[str, str] = {
    **{f"amazon.{tld}": "amazon" for tld in _AMAZON.split()},
    **{f"ebay.{tld}": "ebay" for tld in _EBAY.split()},
    **{
        domain: name
        for name, domains in {
            "allegro": "allegro.pl allegro.cz allegro.sk allegro.hu allegromail.pl",
            "bol": "bol.com",
            "cdiscount": "cdiscount.com octopia.com octopia-io.net",
            "coupang": "coupang.com",
            "etsy": "etsy.com",
            "fnac": "fnac.com fnacdarty.com",
            "kaufland": "kaufland.de kaufland-online.de kaufland-marktplatz.de",
            "manomano": "manomano.com manomano.fr manomano.de manomano.es manomano.it",
            "mercadolibre": "mercadolibre.com mercadolibre.com.ar mercadolibre.com.mx "
                            "mercadolivre.com.br",
            "mirakl": "mirakl.net mirakl.com",
            "otto": "otto.de otto.market",
            "rakuten": "shopping.rakuten.com fr.shopping.rakuten.com rms.rakuten.co.jp",
            "temu": "temu.com temuemail.com",
            "tiktok": "tiktok.com tiktokshop.com",
            "walmart": "walmart.com walmart.ca",
            "zalando": "zalando.de zalando.com",
        }.items()
        for domain in domains.split()
    },
}  # fmt: skip
"""Domains by which marketplaces write to sellers, and below which their relays are."""


def of(domain: str, more: Collection[str] = ()) -> str | None:
    """Whose *domain* is, by itself or by one above it; None: no marketplace's.

    *more* are further domains of marketplaces, which have no name.
    """
    parts = domain.lower().rstrip(".").split(".")
    for start in range(len(parts) - 1):
        above = ".".join(parts[start:])
        if above in DOMAINS:
            return DOMAINS[above]
        if above in more:
            return above
    return None


def relay_of(domain: str, more: Collection[str] = ()) -> str | None:
    """Whose relay *domain* is: below one of a marketplace's, where nobody has an address."""
    name, above = of(domain, more), domain.partition(".")[2]
    return name if name is not None and of(above, more) == name else None
