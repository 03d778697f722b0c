"""What holds of each kind whose answers leave by mail alone, because its platform takes none."""

from __future__ import annotations

from typing import ClassVar

import pytest

from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused, Unreachable
from core.model import File
from sla.policy import Party


class AnswersByMail:
    """The kind's conftest gives `sandbox` and `opened`, its test the thread as core keeps it."""

    longest: ClassVar[int]

    async def test_files_go_with_the_letter(self, sandbox, opened, stored, draft, clock):
        file = File("label.pdf", b"%PDF", "application/pdf")
        await opened().reply(stored, draft("Here.", stored.id, files=(file,)), clock.now)

        assert b"label.pdf" in sandbox.mail.taken[0].raw

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ("smtp_refuse_login", BadCredentials),
            ("smtp_refuse_sender", BadCredentials),
            ("smtp_refuse_recipient", Refused),
            ("smtp_refuse_data", Refused),
            ("smtp_limit", RateLimited),
            ("smtp_later", Unreachable),
            ("smtp_drop_after_data", OutcomeUnknown),
        ],
    )
    async def test_what_became_of_the_letter_is_told_as_it_is(
        self, sandbox, opened, stored, draft, clock, fault, error
    ):
        sandbox.mail.faults.order(fault)

        with pytest.raises(error):
            await opened().reply(stored, draft("Sorry!", stored.id), clock.now)

    @pytest.mark.parametrize(
        ("too_long", "more"),
        [
            (True, {}),
            (False, {"to": frozenset({Party.MARKETPLACE})}),
            (False, {"files": (File("a.png", url="https://shop.example/a.png"),)}),
        ],
    )
    async def test_what_cannot_be_sent_is_refused_and_nothing_leaves(
        self, sandbox, opened, stored, draft, clock, too_long, more
    ):
        body = "x" * (self.longest + 1) if too_long else "x"

        with pytest.raises(Refused):
            await opened().reply(stored, draft(body, stored.id, **more), clock.now)
        assert sandbox.letters == []

    async def test_a_check_logs_in_where_letters_leave(self, sandbox, opened):
        sandbox.mail.faults.order("smtp_refuse_login")

        with pytest.raises(BadCredentials, match=r"user and password .* \(in the table mail\)"):
            await opened().check()
