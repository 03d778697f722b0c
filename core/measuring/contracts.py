"""How the contracts stand, as they were counted last: shares, budgets in messages, means."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, NamedTuple

from core import durations
from core.instruments import ACCOUNT, Source
from core.measuring.facts import Judgement
from core.measuring.sections import CONTRACTS
from core.measuring.written import Room, Seen, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from core.measuring.written import Families, Sample
    from sla.contract import Standing
    from sla.policy import Contract, Policy

LABELS = (*ACCOUNT, "policy", "window")

ATTAINMENT = CONTRACTS.family(
    "contract_attainment_ratio", "gauge", LABELS,
    "The share in time of what counts in the window; NaN: nothing does.", Source.LOOK,
)  # fmt: skip
OBJECTIVE = CONTRACTS.family(
    "contract_objective_ratio", "gauge", LABELS,
    "The share that the contract asks for; NaN: none.", Source.LOOK,
)  # fmt: skip
BUDGET = CONTRACTS.family(
    "contract_budget_messages", "gauge", LABELS,
    "How many more may be missed before the objective breaks; negative: overspent.", Source.LOOK,
)  # fmt: skip
COUNTED = CONTRACTS.family(
    "contract_counted_messages", "gauge", LABELS,
    "The clocks that the share is made of, where there is none the mean; NaN: not counted yet.",
    Source.LOOK,
)  # fmt: skip
MEAN = CONTRACTS.family(
    "contract_mean_reply_seconds", "gauge", LABELS,
    "The mean time to a reply in the window; NaN: no reply counts.", Source.LOOK,
)  # fmt: skip
LIMIT = CONTRACTS.family(
    "contract_limit_seconds", "gauge", LABELS,
    "What the mean has to stay under; NaN: nothing.", Source.LOOK,
)  # fmt: skip
COUNTED_AT = CONTRACTS.family(
    "contracts_counted_timestamp_seconds", "gauge", (),
    "When that was last counted; 0: not yet.", Source.LOOK,
)  # fmt: skip


class Number(NamedTuple):
    """One contract of one account's promise, in windows of one length."""

    marketplace: str
    account: str
    policy: Policy
    contract: Contract
    length: timedelta

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """What tells it from the others."""
        return self.marketplace, self.account, self.policy.name, durations.write(self.length)


def exported(numbers: Iterable[Number]) -> list[Number]:
    """Those that are judged, one of a measure for each set of labels: the strictest."""
    found: dict[tuple[str, ...], Number] = {}
    for number in numbers:
        if number.contract.measure != "info":
            key = (*number.labels, number.contract.measure)
            known = found.setdefault(key, number)
            if _strictness(number.contract) > _strictness(known.contract):
                found[key] = number
    return list(found.values())


def judgement(
    numbers: Sequence[Number],
    standings: Sequence[Standing] | None = None,
    at: datetime | None = None,
) -> Judgement:
    """What is shown of *numbers*, which are those `exported`; not counted yet: no *standings*."""
    stands: Sequence[Standing | None] = standings or [None] * len(numbers)
    samples: dict[str, list[Sample]] = {family.name: [] for family in ROOM.families}
    counted: dict[str, float] = {}
    for number, standing in zip(numbers, stands, strict=True):
        text = written(LABELS, number.labels)
        for family, value in _SHOWN[number.contract.measure]:
            samples[family.name].append((text, value(number.contract, standing)))
        if text not in counted or number.contract.measure == "share":
            counted[text] = _counted(standing)
    samples[COUNTED.name].extend(counted.items())
    samples[COUNTED_AT.name].append(("", at.timestamp() if at else 0.0))
    return Judgement(samples)


def _strictness(contract: Contract) -> float:
    if contract.measure == "share":
        return contract.objective or 0.0
    return -contract.limit.total_seconds() if contract.limit else float("-inf")


def _counted(standing: Standing | None) -> float:
    return nan if standing is None else standing.counted


def _attainment(_: Contract, standing: Standing | None) -> float:
    found = standing.attainment if standing else None
    return nan if found is None else float(found)


def _objective(contract: Contract, _: Standing | None) -> float:
    return nan if contract.objective is None else contract.objective


def _budget(_: Contract, standing: Standing | None) -> float:
    found = standing.budget if standing else None
    return nan if found is None else found


def _mean(_: Contract, standing: Standing | None) -> float:
    found = standing.mean if standing else None
    return nan if found is None else found.total_seconds()


def _limit(contract: Contract, _: Standing | None) -> float:
    return nan if contract.limit is None else contract.limit.total_seconds()


_SHOWN = {
    "share": ((ATTAINMENT, _attainment), (OBJECTIVE, _objective), (BUDGET, _budget)),
    "mean": ((MEAN, _mean), (LIMIT, _limit)),
}


def _shown(seen: Seen) -> Families:
    found = seen.snapshot.judgement.samples
    for family in ROOM.families:
        yield family, found.get(family.name, ())


ROOM = Room((ATTAINMENT, OBJECTIVE, BUDGET, COUNTED, MEAN, LIMIT, COUNTED_AT), _shown)
