"""Accounts from settings: each with its connector, its options, its promises and its streams."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from core.configuration.sections import AccountSection
from core.connector import KIND, Filling
from core.model import Account, Stream
from core.store import definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from core.configuration.accounthours import OpeningHours
    from core.configuration.complaints import Complaints
    from core.configuration.references import References
    from core.connector import Credential, Options, SandboxSpec, Spec
    from core.rules import Acknowledging
    from sla.calendar import Calendar
    from sla.policy import Policy, Role

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Configured:
    """One account as it will be read. *written* are its options as a table, secrets included.

    *hours* are its opening hours, None where it names none; *acknowledging* is what it sends by
    itself outside of them.
    """

    account: Account
    spec: Spec[Any]
    options: Options
    written: Mapping[str, Any]
    promises: tuple[Policy, ...]
    streams: tuple[Stream, ...]
    budget: str
    hours: Calendar | None = None
    acknowledging: Acknowledging | None = None

    @property
    def own_mark(self) -> bool:
        """Whether the marketplace has a "no reply needed" of its own that we read."""
        return self.spec.can(self.options).own_mark

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """The keys of which it is known when they end; a stand-in's are play."""
        if self.spec.credentials is None or self.account.sandbox:
            return ()
        return self.spec.credentials(self.options)


@dataclass(frozen=True, slots=True)
class Defined:
    """What accounts may name: all that is defined, faulty ones included."""

    promises: Mapping[str, tuple[Policy, ...]]
    hours: OpeningHours
    routes: frozenset[str]


class Accounts:
    """Reads the accounts, which name what is *defined*."""

    def __init__(
        self,
        specs: Mapping[str, Spec[Any]],
        defined: Defined,
        references: References,
        *,
        sandbox: bool,
    ) -> None:
        self._specs = specs
        self._promises = defined.promises
        self._hours = defined.hours
        self._routes = defined.routes
        self._references = references
        self._complaints: Complaints = references.complaints
        self._sandbox = sandbox

    def read(self, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Configured]:
        """Every account that has no fault; each fault is complained of."""
        read = {name: self._account(name, table) for name, table in tables.items()}
        configured = {name: account for name, account in read.items() if account is not None}
        self._same_shop(configured)
        self._same_seller(configured)
        self._same_promises(configured)
        return configured

    def _account(self, name: str, table: Mapping[str, Any]) -> Configured | None:
        path = ("accounts", name)
        section, sound = self._complaints.read_on(AccountSection, table, path, {"connector": ""})
        self._check_names(section, path)
        hours = self._hours.named(section.calendar, (*path, "calendar"))
        spec = self._spec(section, path)
        if spec is None:
            known = [kind for each in self._specs.values() for kind in _kinds(each)]
            self._references.plain(section.options, known, (*path, "options"))
            return None
        may = not section.sandbox or self._may_stand_in(spec, path)
        written = self._options(section, spec, path)
        model = spec.options_of(written)
        options = self._complaints.read(model, written, (*path, "options"))
        if options is None:
            return None
        self._check_silence(section, spec, options, path)
        chosen = self._contracts(section, spec.policies(options), path)
        goals, own = self._goals(section, spec.goals(options) if spec.goals else (), path)
        chosen += goals
        if section.calendar is None:
            chosen += own
        else:
            idle = section.acknowledge is None
            chosen += self._hours.counted(name, own, hours, path, idle=idle)
        terms = self._hours.acknowledging(section, hours, spec.can(options), chosen, path)
        if not (sound and may):
            return None
        found = configure(name, section, spec, options, written, chosen)
        return replace(found, hours=hours, acknowledging=terms)

    def _spec(self, section: AccountSection, path: Path) -> Spec[Any] | None:
        """The connector of an account; None, and a complaint, where there is none."""
        spec = self._specs.get(section.connector)
        key = (*path, "connector")
        if spec is None and not self._complaints.any_at(path, ("connector",)):
            self._complaints.unknown(key, "connector", section.connector, self._specs)
        return spec

    def _check_names(self, section: AccountSection, path: Path) -> None:
        for route in section.routes:
            if route not in self._routes:
                self._complaints.unknown((*path, "routes"), "route", route, self._routes)

    def _check_role(self, name: str, role: Role, path: Path, own: Iterable[str] = ()) -> None:
        if name not in self._promises:
            known = [n for n, made in self._promises.items() if not made or made[0].role == role]
            self._complaints.unknown(path, f"{role} in [policies]", name, {*known, *own})
            return
        made = self._promises[name]
        if made and made[0].role != role:
            place = "policies" if role == "goal" else "goals"
            fault = f"{name} is a {made[0].role}; name it under {place}, or give it another role"
            self._complaints.add(path, fault)

    def _may_stand_in(self, spec: Spec[Any], path: Path) -> bool:
        key = (*path, "sandbox")
        if spec.sandbox is None:
            self._complaints.add(key, f"connector {spec.name} has no sandbox; remove this line")
            return False
        if not self._sandbox:
            mend = "give this command --sandbox, or remove the account"
            fault = f"needs the marketplace's stand-in; {mend}"
            self._complaints.add(key, fault)
            return False
        return True

    def _check_silence(
        self, section: AccountSection, spec: Spec[Any], options: Options, path: Path
    ) -> None:
        if section.silence is not None and not spec.can(options).receives:
            fault = "nothing is pushed to this account; set up its pushes, or remove this line"
            self._complaints.add((*path, "silence"), fault)

    def _options(self, section: AccountSection, spec: Spec[Any], path: Path) -> dict[str, Any]:
        """The options with secrets read; a sandbox account's gaps are filled until it runs."""
        model, place = spec.options_of(section.options), (*path, "options")
        if spec.kinds and model is spec.options:
            self._references.plain(section.options, _kinds(spec), place)
            return section.options
        written = self._references.table(section.options, model, place)
        if section.sandbox and spec.sandbox is not None:
            return _filled(written, spec.sandbox)
        return written

    def _contracts(
        self, section: AccountSection, offered: Sequence[Policy], path: Path
    ) -> tuple[Policy, ...]:
        """The contracts, replaced by those of the same name in the settings."""
        contracts = _by_name(offered)
        names = tuple(contracts) if section.policies is None else section.policies
        chosen: list[Policy] = []
        for name in dict.fromkeys(names):
            if name in self._promises:
                self._check_role(name, "contract", (*path, "policies"))
                chosen += self._promises[name]
            elif name in contracts:
                chosen += contracts[name]
            else:
                known = {*contracts, *self._own_contracts()}
                self._complaints.unknown((*path, "policies"), "contract", name, known)
        return tuple(chosen)

    def _goals(
        self, section: AccountSection, offered: Sequence[Policy], path: Path
    ) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
        """Those of the settings and those of the connector, of all that the account names.

        Where it names none the connector's own count. One of the same name in the settings takes
        the place of the connector's.
        """
        own = _by_name(offered)
        names = tuple(own) if section.goals is None else tuple(dict.fromkeys(section.goals))
        for name in names:
            if name in self._promises or name not in own:
                self._check_role(name, "goal", (*path, "goals"), own)
        written = [policy for name in names for policy in self._promises.get(name, ())]
        brought = [p for n in names if n not in self._promises for p in own.get(n, ())]
        return tuple(written), tuple(brought)

    def _own_contracts(self) -> list[str]:
        return [n for n, made in self._promises.items() if made and made[0].role == "contract"]

    def _same_shop(self, configured: Mapping[str, Configured]) -> None:
        """A shop read twice would be told twice; stand-ins get their addresses when they run."""
        seen: dict[tuple[str, str], str] = {}
        for name, found in configured.items():
            if found.account.sandbox:
                continue
            other = seen.setdefault((found.spec.name, found.account.identity), name)
            if other != name:
                fault = f"reads the same shop at the same address as accounts.{other}; remove one"
                self._complaints.add(("accounts", name), fault)

    def _same_seller(self, configured: Mapping[str, Configured]) -> None:
        """A shop with a seller here and without one there would be two, and nobody would see it."""
        seen: dict[str, str] = {}
        for name, found in configured.items():
            shop, seller = found.account.shop, found.account.seller
            other = seen.setdefault(shop, name) if shop else name
            told = configured[other].account.seller
            if bool(told) != bool(seller):
                of, without = (other, name) if told else (name, other)
                fault = f"shop {shop} is {told or seller}'s in accounts.{of}, and no seller's in"
                mend = "name the seller in both, or call one shop otherwise"
                self._complaints.add(
                    ("accounts", name, "shop"), f"{fault} accounts.{without}; {mend}"
                )

    def _same_promises(self, configured: Mapping[str, Configured]) -> None:
        """A promise is known by its name: two that differ need two names."""
        seen: dict[str, tuple[str, list[dict[str, Any]]]] = {}
        for name, found in configured.items():
            for promise in dict.fromkeys(policy.name for policy in found.promises):
                said = [definitions.dump(p) for p in found.promises if p.name == promise]
                other, before = seen.setdefault(promise, (name, said))
                if before != said:
                    fault = f"{promise} says something else in accounts.{other}; rename one of them"
                    self._complaints.add(("accounts", name, "policies"), fault)


def configure(
    name: str,
    section: AccountSection,
    spec: Spec[Any],
    options: Options,
    written: Mapping[str, Any],
    chosen: tuple[Policy, ...],
) -> Configured:
    """The account *name* with these options, as its connector sees it."""
    marketplace = spec.marketplace(options)
    names = {role: _names(chosen, role) for role in ("contract", "goal")}
    can, streams = spec.can(options), spec.streams(options)
    account = Account(
        name=name,
        connector=spec.name,
        marketplace=marketplace,
        title=section.title or name,
        identity=spec.identity(options),
        shop=section.shop or None,
        seller=section.seller or None,
        policies=names["contract"],
        goals=names["goal"],
        routes=section.routes,
        sandbox=section.sandbox,
        judged=can.verdicts,
        letters=can.letters,
        confirmed_after=can.confirmed_after,
        receives=can.receives,
        polled=any(stream.carries_clocks for stream in streams),
        replies=can.replies,
        silence=section.silence,
        language=section.language or (spec.language(options) if spec.language else None),
    )
    return Configured(account, spec, options, written, chosen, streams, spec.budget(options))


def _filled(written: Mapping[str, Any], sandbox: SandboxSpec[Any]) -> dict[str, Any]:
    """What is *written* of a sandbox account, its gaps filled, those of its tables too."""
    gaps = sandbox.kinds.get(str(written.get(KIND)), Filling(sandbox.options, sandbox.tables))
    tables = {
        name: {**filling, **written[name]}
        for name, filling in gaps.tables.items()
        if isinstance(written.get(name), dict)
    }
    return {**gaps.options, **written, **tables}


def standing_in(found: Configured, replaced: Mapping[str, Any]) -> Configured:
    """The same account at its running stand-in: *replaced* are the options to use instead."""
    written = {**found.written, **replaced}
    options = found.spec.options_of(written).model_validate(written)
    account = found.account.model_copy(
        update={
            "identity": found.spec.identity(options),
            "marketplace": found.spec.marketplace(options),
        }
    )
    streams, budget = found.spec.streams(options), found.spec.budget(options)
    return replace(
        found, account=account, options=options, written=written, streams=streams, budget=budget
    )


def _kinds(spec: Spec[Any]) -> tuple[type[Options], ...]:
    """All options that an account of this connector may have."""
    return (spec.options, *spec.kinds.values())


def _by_name(offered: Sequence[Policy]) -> dict[str, tuple[Policy, ...]]:
    """Promises with all their versions."""
    found: dict[str, tuple[Policy, ...]] = {}
    for policy in offered:
        found[policy.name] = (*found.get(policy.name, ()), policy)
    return found


def _names(policies: Sequence[Policy], role: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p.name for p in policies if p.role == role))
