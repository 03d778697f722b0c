"""Passwords: what one must be, and hashes of them that are slow to make, beside the loop.

argon2id with the second of OWASP's equal settings (46 MiB, one lane), one turn more than it asks
for (cheatsheetseries.owasp.org, Password Storage, read 2026-11-23). A flood of sign-ins costs two
threads and 92 MiB, whatever its size.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

SHORTEST, LONGEST = 12, 256
FEWEST = 5
"""Different characters at least."""
SIDE_BY_SIDE = 2
MOST_WAITING = 32
"""So many wait for their turn at most; each takes about a tenth of a second."""
WORST = frozenset(
    [
        "abc",
        "abcabc",
        "abcd",
        "abcdef",
        "abcdefgh",
        "abcdefghijkl",
        "access",
        "adminadmin",
        "admin",
        "administrator",
        "asdf",
        "asdfgh",
        "asdfghjkl",
        "baseball",
        "batman",
        "changeme",
        "charlie",
        "computer",
        "default",
        "dragon",
        "football",
        "hello",
        "helloworld",
        "iloveyou",
        "jordan",
        "letmein",
        "login",
        "loveyou",
        "master",
        "michael",
        "monkey",
        "monkeymonkey",
        "mustang",
        "pass",
        "passpass",
        "passw",
        "password",
        "passwordpassword",
        "princess",
        "qazwsx",
        "qazwsxedc",
        "qwer",
        "qwert",
        "qwerty",
        "qwertyqwerty",
        "qwertyuiop",
        "qwertyuiopasdfghjkl",
        "replyby",
        "replybyreplyby",
        "root",
        "secret",
        "shadow",
        "starwars",
        "summer",
        "sunshine",
        "superman",
        "superuser",
        "test",
        "testtest",
        "trustno",
        "welcome",
        "welcomewelcome",
        "winter",
        "zaqxsw",
        "zxcvbn",
        "zxcvbnm",
    ]
)
"""What stands at the top of every list of stolen passwords, without the digits around it."""
MORE_WORDS = frozenset(
    [
        "android", "apple", "april", "august", "autumn", "azerty", "berlin", "bonjour",
        "company", "contrasena", "contraseña", "december", "dezember", "estate",
        "facebook", "februar", "february", "frühling", "fruehling", "geheim", "google",
        "guest", "hallo", "herbst", "instagram", "invierno", "iphone", "januar",
        "january", "juillet", "julio", "kennwort", "klartext", "linkedin", "london",
        "motdepasse", "november", "office", "oktober", "october", "paris", "passwort",
        "praktikant", "samsung", "schatz", "schule", "september", "soleil", "sommer",
        "spring", "support", "verano", "winter", "비밀번호", "사랑해요", "안녕하세요",
    ]
)  # fmt: skip
"""Of what people choose who have to: seasons, months, makers, in the sellers' tongues."""
_WORDS = re.compile(
    "|".join(sorted((one for one in WORST | MORE_WORDS if len(one) > 3), key=len, reverse=True))
)
YEAR = re.compile(r"(?:19|20)\d\d")
AGAIN = re.compile(r"(.{2,64}?)\1+")
ROWS = ("1234567890", "qwertyuiop[]", "asdfghjkl;'#", "zxcvbnm,./", "qwertzuiopü", "yxcvbnm,.-",
        "azertyuiop", "qsdfghjklm", "йцукенгшщзхъ", "фывапролджэ")  # fmt: skip
"""Of keyboards, which fingers walk along."""
SHORTEST_ROW = 3
WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
LEET = str.maketrans("0134578@$!", "oieastbasi")

HASHER = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)


class Busy(Exception):  # not an error: a reason to ask again
    """More want to sign in than can be looked at; none of these was."""


def faults(password: str, *names: str) -> list[str]:
    """What is wrong with *password* for somebody of these *names*, in closed words; none: fit.

    ``short``, ``long``, ``name``, ``worst``: a page says them in the reader's language.
    """
    if len(password) > LONGEST * 4:  # before it costs anything
        return ["long"]
    plain = _plain(password)
    found = []
    if _weight(plain) < SHORTEST:
        found.append("short")
    if len(plain) > LONGEST:
        return ["long"]
    bare = plain.casefold()
    if any(len(name) > 2 and name.casefold() in bare for name in names):
        found.append("name")
    if _is_common(bare):
        found.append("worst")
    return found


def _weight(plain: str) -> float:
    """How many Latin letters it is worth: a syllable or an ideograph is one and a half."""
    return len(plain) + sum(WIDE.match(letter) is not None for letter in plain) / 2


def _is_common(bare: str) -> bool:
    letters = re.sub(r"[^a-z]", "", bare)
    middle = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", bare)
    if len(set(bare)) < FEWEST or {letters, middle.translate(LEET)} & WORST:
        return True
    return any(_own(one) < FEWEST for one in (bare, middle.translate(LEET))) or (
        _own(bare[::2]) + _own(bare[1::2]) == 0
    )


def _own(bare: str) -> int:
    """How many letters and digits are left without what a thousand others write too.

    Those are common words, years, rows of the alphabet and the keyboard, and repetitions.
    """
    rest = "".join(bare.split())
    for pattern in (_WORDS, YEAR, AGAIN):
        rest = pattern.sub(" ", rest)
    return sum(letter.isalnum() for letter in _without_rows(rest))


def _without_rows(text: str) -> str:
    """*text* without each three or more signs of which one follows the other."""
    kept, row = "", text[:1]
    step: object = None
    for before, letter in pairwise(text):
        now = _step(before, letter)
        if now is not None and (len(row) == 1 or now == step):
            row, step = row + letter, now
            continue
        kept += row if len(row) < SHORTEST_ROW else " "
        row, step = letter, None
    return kept + (row if len(row) < SHORTEST_ROW else " ")


def _step(before: str, letter: str) -> int | None:
    """In which direction *letter* follows *before*: 1, 0 or -1; None: it does not."""
    if (by := ord(letter) - ord(before)) in (-1, 0, 1):
        return by
    if any(before + letter in row for row in ROWS):
        return 1
    return -1 if any(letter + before in row for row in ROWS) else None


def outdated(hashed: str) -> bool:
    """Whether it was made with less than today's costs."""
    return HASHER.check_needs_rehash(hashed)


class Passwords:
    """Makes hashes and compares with them, a few at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="password")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """The hash of *password*.

        Raises:
            Busy: too many wait already.
        """
        return await self._beside(lambda: HASHER.hash(_plain(password)))

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether *password* has that hash; with none it takes as long, and it has not.

        Raises:
            Busy: too many wait already.
        """
        return await self._beside(lambda: _matches(hashed, password))

    def close(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _beside(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise Busy("too many want to sign in at once")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _matches(hashed: str | None, password: str) -> bool:
    if len(password) > LONGEST * 4:
        password = ""
    try:
        HASHER.verify(hashed or _nobodys(), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


@cache
def _nobodys() -> str:
    """A hash of something: comparing with it takes as long as with anybody's."""
    return HASHER.hash("nobody has this password")


def _plain(password: str) -> str:
    """One spelling of what keyboards write in several: NIST SP 800-63B asks for it."""
    return unicodedata.normalize("NFKC", password)
