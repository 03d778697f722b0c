"""The numbers that the accounts of the settings are judged by, and those that are shown beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.measuring.contracts import Number
from sla import contract as contracts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from core.configuration.configured import Configured


def numbers(accounts: Iterable[Configured], at: datetime) -> Iterator[Number]:
    """Each number of each promise in force *at* an instant: by account, in each window."""
    for found in accounts:
        account = found.account
        for policy in found.promises:
            if policy.is_in_force(at):
                for contract in contracts.of(policy):
                    for length in contract.windows:
                        yield Number(account.marketplace, account.name, policy, contract, length)
