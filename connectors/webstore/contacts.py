"""By what a buyer is known elsewhere: an address of mail, a number to call. Pure.

What names nobody is None: two people that are taken for one cost more than one that is not found.
"""

from __future__ import annotations

import re

from core.errors import Unfit
from core.model import LONE
from core.options import mail_address

SEPARATORS = re.compile(r"[\s().\u00a0/-]")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def mail(told: str | None) -> str | None:
    """An address of mail, None where *told* is none."""
    try:
        return mail_address(told) if told and not LONE.search(told) else None
    except Unfit:
        return None


def phone(told: str | None) -> str | None:
    """A number as all the world dials it; None where *told* does not begin with a country's code.

    Which country a national number is of nobody says: guessed wrongly it links two people.
    """
    found = E164.fullmatch(SEPARATORS.sub("", told or ""))
    return found[0] if found else None
