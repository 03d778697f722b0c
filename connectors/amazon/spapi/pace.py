"""How often a call may leave: a bucket for each, as Amazon keeps one. Pure; seconds are monotonic.

Published rates (developer-docs.amazon.com/sp-api and its models, read 2026-11-21); an account's own
are told by a header, which is the rate and not what is left, and may be absent (trap 23).
"""

from __future__ import annotations

from dataclasses import dataclass, field

RATES = {
    "getOrder": (0.5, 30),
    "getMessagingActionsForOrder": (1.0, 5),
    "GetAttributes": (1.0, 5),
    "sendMessage": (1.0, 5),
    "createUploadDestination": (0.1, 5),
    "getReports": (0.0222, 10),
    "createReport": (0.0167, 15),
    "getReportDocument": (0.0167, 15),
    "getMarketplaceParticipations": (0.016, 15),
}
"""Calls a second, and how many at once. Of several published numbers the smaller."""

FASTEST = 1000.0


@dataclass(slots=True)
class Pace:
    """A bucket of *burst* calls that fills at *rate* a second."""

    rate: float
    burst: float
    _left: float = field(init=False)
    _at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._left = self.burst

    def wait(self, now: float) -> float:
        """The seconds until a call may leave; 0: at once."""
        self._fill(now)
        return max(0.0, (1 - self._left) / self.rate)

    def take(self, now: float) -> None:
        """A call leaves."""
        self._fill(now)
        self._left -= 1

    def refuse(self, now: float) -> float:
        """Amazon has refused a call: nothing is left. The seconds until the next may leave."""
        self._fill(now)
        self._left = min(self._left, 0.0)
        return self.wait(now)

    def learn(self, said: str | None) -> None:
        """The rate is what an answer's header says, where it says one."""
        try:
            rate = float(said or "")
        except ValueError:
            return
        if 0 < rate <= FASTEST:
            self.rate = rate

    def _fill(self, now: float) -> None:
        """Nothing before the first call: monotonic time begins anywhere."""
        passed = max(0.0, now - self._at) if self._at else 0.0
        self._left = min(self.burst, self._left + passed * self.rate)
        self._at = now


def paces() -> dict[str, Pace]:
    """A full bucket for each call that has a published rate."""
    return {operation: Pace(rate, burst) for operation, (rate, burst) in RATES.items()}
