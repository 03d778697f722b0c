"""Makes hostile letters from a seed, as they lie in a mailbox: the same ones for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from core.transport import filing, mime
from core.transport.mailbox import Limits
from tests.connectors.amazon import harm, outsider, travelled
from tests.connectors.amazon.travelled import BUYERS, FOUND, NOT_BUYERS, Who

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY = {**BUYERS, **NOT_BUYERS}
VERDICTS, SHARES = (*FOUND, None), (5, 2, 2, 1, 2)
"""What the server found, and how often; None where it checks nothing."""

MUTATED = 0.4
"""How often a letter is mutated as well."""

FOLDERS, PARTS = ("INBOX", "Junk", "Sent"), (15, 4, 1)
"""Where letters lie, and how many: what lies where letters left starts nothing."""

DEAR = frozenset({
    "long lines", "many lines", "html bomb", "many headers", "long headers", "many parts",
})  # fmt: skip
"""Harms that take long to read: the first of a batch may have them."""

SMALL = tuple(name for name in harm.HARMS if name not in DEAR)


@dataclass(frozen=True)
class Posted:
    """A letter in a mailbox; *raw* are its bytes as its server gives them.

    *verdict* is what that server found; *is_good*: nobody has been at it, so it has its clock.
    """

    raw: bytes
    verdict: str | None
    folder: str
    made: str
    is_good: bool = False

    @cached_property
    def name(self) -> str:
        """Its id: that of a letter too large to be fetched is made of its begin."""
        limits = Limits()
        read = self.raw if len(self.raw) <= limits.whole else self.raw[: limits.begin]
        return filing.name(mime.read(read))

    @cached_property
    def suspect(self) -> str:
        """Its id where it is forged."""
        return f"suspect:{filing.digest(self.name, 32)}"

    @cached_property
    def may_open(self) -> bool:
        """Whether an outsider may take it for a buyer's that is not forged."""
        return self._is_believed and outsider.may_be_a_buyers(self.raw)

    @cached_property
    def may_ask(self) -> bool:
        """Whether an outsider may take it for one that opens a claim, a return and their like."""
        return self._is_believed and outsider.may_ask(self.raw)

    @property
    def _is_believed(self) -> bool:
        return self.verdict in {"pass", None} and self.folder != "Sent"


class Maker:
    """Makes one letter after the other."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.mark = f"{travelled.hash_of(seed):08x}"
        self.n = 0

    def batch(self, groups: int, size: int) -> Iterator[list[Posted]]:
        """So many groups of hostile letters, each with a good one behind the last."""
        for n in range(groups):
            yield [*(self.hostile(dear=n == 0) for _ in range(size)), self.good()]

    def good(self) -> Posted:
        """A buyer's letter that nobody has been at."""
        return self._posted("question", "nothing", "pass", is_good=True)

    def hostile(self, *, dear: bool) -> Posted:
        """A letter of any kind that something was done to; *dear*: it may take long to read."""
        random = self.random
        harmed = random.choice(list(harm.HARMS) if dear else SMALL)
        return self._posted(random.choice(list(EVERY)), harmed, random.choices(VERDICTS, SHARES)[0])

    def _posted(
        self, kind: str, harmed: str, verdict: str | None, *, is_good: bool = False
    ) -> Posted:
        self.n += 1
        random, who = self.random, Who(self.mark, self.n)
        own = harm.HARMS[harmed](travelled.travelling(EVERY[kind](who, random), random), random)
        if not is_good and random.random() < MUTATED:
            own, harmed = harm.mutated(own, random), f"{harmed}, mutated"
        folder = "INBOX" if is_good else random.choices(FOLDERS, PARTS)[0]
        return Posted(
            travelled.arrived(own, verdict), verdict, folder, f"{kind}: {harmed}", is_good
        )
