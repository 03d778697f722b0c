"""Providers at which everybody may have an address: of their domains anybody may be a buyer."""

from __future__ import annotations

import re

_IN_EACH_COUNTRY = re.compile(r"(?:gmx|hotmail|outlook|yahoo)\.(?:com|net|[a-z]{2}|com?\.[a-z]{2})")
_EVERYBODYS = frozenset({
    "126.com", "163.com", "aol.com", "arcor.de", "att.net", "bluewin.ch", "bol.com.br",
    "btinternet.com", "comcast.net", "daum.net", "docomo.ne.jp", "fastmail.com",
    "foxmail.com", "free.fr", "freemail.hu", "freenet.de", "gmail.com", "googlemail.com",
    "hanmail.net", "icloud.com", "inbox.lv", "interia.pl", "laposte.net", "libero.it",
    "live.at", "live.be", "live.ca", "live.cn", "live.co.uk", "live.com", "live.de",
    "live.dk", "live.fr", "live.ie", "live.it", "live.nl", "live.no", "live.se", "mac.com",
    "mail.com", "mail.de", "mail.ru", "me.com", "msn.com", "naver.com", "o2.pl", "onet.eu",
    "onet.pl", "op.pl", "orange.fr", "passport.com", "pm.me", "posteo.de", "proton.me",
    "protonmail.com", "qq.com", "rocketmail.com", "sapo.pt", "seznam.cz", "sfr.fr",
    "sina.com", "t-online.de", "telenet.be", "tiscali.it", "tlen.pl", "tuta.com",
    "tutanota.com", "ukr.net", "uol.com.br", "verizon.net", "virgilio.it", "wanadoo.fr",
    "web.de", "wp.pl", "yandex.com", "yandex.ru", "ymail.com", "ziggo.nl",
})  # fmt: skip


def is_everybodys(domain: str) -> bool:
    """Whether *domain*, in small letters, is known to be a provider's: no list knows all."""
    return domain in _EVERYBODYS or _IN_EACH_COUNTRY.fullmatch(domain) is not None
