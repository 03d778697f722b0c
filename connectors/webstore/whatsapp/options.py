"""What a number at WhatsApp says in the settings."""

from __future__ import annotations

from typing import Literal

from connectors.webstore.meta.options import MetaOptions, Number


class WhatsappOptions(MetaOptions):
    """One number. *business_account_id* is that of the WhatsApp Business account that has it."""

    kind: Literal["whatsapp"]
    phone_number_id: Number
    business_account_id: Number


def identity(options: WhatsappOptions) -> str:
    """Which number this is."""
    return f"{options.api} number {options.phone_number_id}"
