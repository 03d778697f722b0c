"""Makes hostile payloads from a seed: the same ones for the same seed."""

from __future__ import annotations

import string
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from tests.acceptance import damage, mutation
from tests.acceptance.accounted import OPEN, incident
from tests.acceptance.moulds import LISTS, Payload, messages_of, page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.acceptance.moulds import Moulds

DIGITS = string.digits + string.ascii_lowercase
SHARES = (("M11", 74), ("OR11", 14), ("A01", 6), ("RE01", 6))
HARM, HARMLESS, ENVELOPE, LONG = 0.06, 0.06, 0.05, 0.12
"""How often all bytes are damaged, or only written otherwise; the envelope is; a thread is long."""


def _stored_of(operation: str, item: dict[str, Any]) -> dict[str, frozenset[str]]:
    """The threads that *item*, which nothing was done to, is to be stored as."""
    if operation == "M11":
        return {item["id"]: messages_of(item)}
    asking = [line for line in item.get("order_lines", ()) if line["order_line_state"] == OPEN]
    order = item.get("order_id", "")
    return {incident(order, line["order_line_id"]): frozenset() for line in asking}


class Maker:
    """Makes one payload after the other."""

    def __init__(self, moulds: Moulds, seed: str) -> None:
        self.moulds = moulds
        self.random = Random(seed)
        self.made = 0

    def payload(self, known: Sequence[str], *, real: bool = False) -> Payload:
        """A payload of any operation; *known* are ids that it may run into."""
        names, weights = zip(*SHARES, strict=True)
        operation = self.random.choices(names, weights)[0]
        made = self._listed(operation, known) if operation in LISTS else self._single(operation)
        return self._sent(made) if real else made

    def _mark(self) -> str:
        self.made += 1
        n, mark = self.made, ""
        while n:
            n, digit = divmod(n, 36)
            mark = DIGITS[digit] + mark
        return f"-{mark}"

    def _listed(self, operation: str, known: Sequence[str]) -> Payload:
        random, mark = self.random, self._mark()
        if operation == "RE01":
            items, odd = self.moulds.cast(operation, mark, random)["reasons"], 3
        else:
            n = random.choice((1, 2, 2, 3, 4))
            items = [self.moulds.cast(operation, f"{mark}.{i}", random) for i in range(n)]
            odd = random.choice((1, 1, 1, 2))
        made: list[str] = []
        content: list[Any] = []
        whole: dict[str, frozenset[str]] = {}
        companions: dict[str, Payload] = {}
        spoilt = set(random.sample(range(len(items)), min(odd, len(items))))
        for place, item in enumerate(items):
            if place in spoilt:
                changed, names = mutation.spoil(random, item, known)
                content += changed
                made += names
            else:
                content.append(item)
                if operation == "M11" and random.random() < LONG:
                    companions[item["id"]] = self._companion(item, known)
                whole.update(_stored_of(operation, item))
        token = (
            {"next_page_token": f"token{mark}"} if operation == "M11" else {"total_count": 10**6}
        )
        return self._enveloped(
            operation, page(operation, content, **token), whole, made, companions
        )

    def _companion(self, item: dict[str, Any], known: Sequence[str]) -> Payload:
        """The thread has more messages than came along; asked for by itself it is odd."""
        item["metadata"]["total_count"] += 3
        changed, made = mutation.spoil(self.random, item, known)
        content = changed[0] if changed else None
        return self._enveloped("M10", content, {}, made, {})

    def _single(self, operation: str) -> Payload:
        item = self.moulds.cast(operation, self._mark(), self.random)
        if self.random.random() < 0.7:
            item["order_messages_response_delay"] = mutation.value(self.random)
        changed, made = mutation.spoil(self.random, item, ("x",))
        return self._enveloped(operation, changed[0] if changed else None, {}, made, {})

    def _enveloped(self, operation, content, whole, made, companions) -> Payload:
        random = self.random
        if random.random() < ENVELOPE and isinstance(content, dict):
            named, is_there = mutation.envelope(random, content, operation)
            made, whole = [*made, named], whole if is_there else {}
        body = mutation.written(content)
        how = random.random()
        if how < HARM:
            body, whole, made = random.choice(damage.HARMFUL)(random, body), {}, ["bytes"]
        elif how < HARM + HARMLESS:
            body = random.choice(damage.HARMLESS)(random, body)
        return Payload(operation, body, whole, tuple(made), companions)

    def _sent(self, made: Payload) -> Payload:
        sent, headers, cut, is_readable = damage.on_the_wire(self.random, made.body)
        whole = made.whole if is_readable else {}
        return replace(made, whole=whole, headers=headers, sent=sent, cut=cut, torn=not is_readable)
