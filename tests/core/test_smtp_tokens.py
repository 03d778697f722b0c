"""Entering a mail server by tokens: what is no token, and one that ended before its time."""

from __future__ import annotations

import pytest

from core.errors import BadCredentials, BadPayload, Unreachable
from core.sandbox import mail
from core.transport.login import Login
from core.transport.smtp import Limits, Smtp

DESK, BUYER = "desk@shop.example", "a1b2c3@marketplace.amazon.de"
LETTER = b"Subject: x\r\n\r\nHere.\r\n"


@pytest.fixture
def smtp():
    return Smtp(Limits(connect=3, command=3, letter=3))


@pytest.fixture
async def server():
    async with mail.opened({DESK: "p4ss-word"}) as running:
        yield running


class Given:
    """Tokens in turn: the next one each time that the last was refused."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)

    async def token(self):
        if isinstance(self.tokens[0], Exception):
            raise self.tokens[0]
        return self.tokens[0]

    def forget(self):
        self.tokens = self.tokens[1:] or self.tokens


def login(server, tokens):
    return Login("127.0.0.1", server.smtp_port, DESK, None, tokens, "none")


async def test_a_token_that_ended_before_its_time_is_asked_for_once_more(server, smtp):
    server.access_tokens.add("good")

    await smtp.send(login(server, Given("ended", "good")), DESK, BUYER, LETTER)
    await smtp.check(login(server, Given("ended", "good")))

    assert len(server.taken) == 1


@pytest.mark.parametrize("tokens", [("bad",), ("bad", "bad", "good"), ("bad", "worse", "good")])
async def test_tokens_that_are_refused_again_are_told(server, smtp, tokens):
    server.access_tokens.add("good")

    with pytest.raises(BadCredentials):
        await smtp.send(login(server, Given(*tokens)), DESK, BUYER, LETTER)

    assert server.taken == []


async def test_an_answer_that_is_no_token_says_that_nothing_was_sent(server, smtp):
    tokens = Given(BadPayload("token: no JSON"))

    with pytest.raises(Unreachable, match="no JSON"):
        await smtp.send(login(server, tokens), DESK, BUYER, LETTER)
