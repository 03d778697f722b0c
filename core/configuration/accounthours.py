"""An account's opening hours: the calendar on which the goals count that its connector brings.

What a marketplace promises is never moved by them, and what the settings promise in [policies]
names its own calendar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.configuration import openinghours
from core.rules import Acknowledging
from sla import steps
from sla.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.configuration.complaints import Complaints, Path
    from core.configuration.sections import AccountSection
    from core.connector import Capabilities
    from sla.policy import Policy

UNLABELLED = (
    "cannot be sent: no reply there can say to people and machines that it is automatic, and be "
    "known by that when it is read again, so that it would pass for a person's; remove this table"
)

ON = "@"
"""Stands between the name of a connector's goal and the account on whose hours it counts: no
promise of the settings has it in its name."""

IDLE = (
    "moves no deadline: the account has none of the goals that a connector brings, and only these "
    "count on it; name the calendar in your own goal, unless it is only there for replyby coverage"
)


def moved(goals: Iterable[Policy], account: str, hours: Calendar) -> tuple[Policy, ...]:
    """*goals* on the *hours* of *account*: promises of that account alone.

    A promise is known by its name, and each account's hours may change by themselves: other hours
    under the same name are another version, as with any promise, and move no clock that runs.
    """
    return tuple(replace(goal, name=f"{goal.name}{ON}{account}", calendar=hours) for goal in goals)


def _unfit(text: str, can: Capabilities, promises: Iterable[Policy]) -> Iterator[str]:
    """Why an account that *can* so much and promises so much may not acknowledge with *text*."""
    if not can.labels_automatic:
        yield UNLABELLED
    if can.longest_reply is not None and can.length(text) > can.longest_reply:
        most = f"{can.longest_reply} {can.longest_in} at most"
        yield f"is longer than a reply may be there; {most}"
    for policy in promises:
        if policy.counts_automatic:
            yield (
                f"would end the waiting for {policy.name}, which counts automatic replies; "
                "let it not count them, or remove this table"
            )


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The calendars that accounts may name; None is one that is defined but faulty."""

    calendars: Mapping[str, Calendar | None]
    complaints: Complaints
    now: datetime

    def named(self, name: str | None, path: Path) -> Calendar | None:
        """The calendar *name*; None where there is none, or a faulty one."""
        if name is None:
            return None
        if name not in self.calendars:
            self.complaints.unknown(path, "calendar", name, self.calendars)
        return self.calendars.get(name)

    def counted(
        self,
        account: str,
        goals: Sequence[Policy],
        hours: Calendar | None,
        path: Path,
        *,
        idle: bool,
    ) -> tuple[Policy, ...]:
        """The connector's *goals* of *account* on its *hours*; as they are where these are faulty.

        Complained of is what the hours do not open for, and warned of that nothing counts on them,
        where they are *idle* otherwise.
        """
        if hours is None:
            return tuple(goals)
        if not goals and idle:
            self.complaints.warn((*path, "calendar"), IDLE)
        for goal in goals:
            self._check_reach(goal, hours, (*path, "calendar"))
        return moved(goals, account, hours)

    def acknowledging(
        self,
        section: AccountSection,
        hours: Calendar | None,
        can: Capabilities,
        promises: Iterable[Policy],
        path: Path,
    ) -> Acknowledging | None:
        """What an account sends by itself outside its *hours*; None where it sends nothing."""
        said = section.acknowledge
        if said is None:
            return None
        key = (*path, "acknowledge")
        for fault in _unfit(said.text, can, promises):
            self.complaints.add(key, fault)
        if section.calendar is None:
            fault = 'needs the account\'s opening hours; name a calendar, as calendar = "desk"'
            self.complaints.add(key, fault)
        if hours is None:
            return None
        if hours == Calendar.always(hours.zone):
            self.complaints.warn(key, "is never sent: the calendar of the account never closes")
        return Acknowledging(hours, said.text, said.subject)

    def _check_reach(self, goal: Policy, hours: Calendar, path: Path) -> None:
        if goal.effective_to is not None and goal.effective_to <= self.now:
            return
        start = max(self.now, goal.effective_from or self.now)
        longest = max(goal.reply_within, goal.next_reply_within or goal.reply_within)
        due_at = steps.reach(hours, start, longest)
        if due_at is None:
            fault = f"does not open for as long as {goal.name} promises; give it more hours"
            self.complaints.add(path, fault)
        elif doubt := openinghours.far(hours, start, longest, due_at):
            self.complaints.warn(path, f"{doubt}, as {goal.name} promises; give it more hours")
