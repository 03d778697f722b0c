"""A mail server on loopback with a shop's mailbox, and connectors that read it."""

from __future__ import annotations

from connectors.webstore import spec
from connectors.webstore.mailbox.options import MailboxOptions
from tests.connectors import mailing
from tests.connectors.webstore.mailbox import letters
from tests.connectors.webstore.mailbox.letters import SUPPORT


class Shop(mailing.Shop):
    """A mailbox of a shop."""

    def told(self, **more):
        return letters.told(**super().told(**more))

    def options(self, **more):
        return MailboxOptions.model_validate(self.told(**more))


def opened_shop(receive=None):
    return mailing.opened_shop(Shop, SUPPORT, spec, receive)
