"""What an account at the Corner Shop says in the settings."""

from __future__ import annotations

from pydantic import SecretStr

from core.connector import Options


class CornerShopOptions(Options):
    """*token* opens the shop's inbox, *push_secret* signs what the Corner Shop sends by itself."""

    base_url: str
    shop: str
    token: SecretStr
    push_secret: SecretStr
