"""Signing out of a provider that listens elsewhere, in Chromium: no form may lead there."""

from __future__ import annotations

from core.configuration.access import Oidc, Web
from tests.web import provider
from tests.web.browser import backstage, chromium, showing  # noqa: F401  # fixtures


def test_who_signs_out_is_signed_out_at_the_provider_too(showing):  # noqa: F811  # a fixture
    serving = provider.serving(showing.stage.clock)
    op = showing.backstage.run(serving.__aenter__())
    before = showing.stage.web
    listen = showing.address.removeprefix("http://")
    made = Oidc(issuer=op.issuer, client_id=provider.CLIENT, client_secret=provider.SECRET)
    showing.stage.web = Web(
        listen=listen, public_url=showing.address, sign_in="oidc", oidc=made, proxies=()
    )
    try:
        with showing.page(name="olga") as page:

            async def by_provider(db):
                await db.execute("update session set means = 'oidc', login = 'a.b.c'")

            showing.db(by_provider)
            page.goto("/me")
            page.get_by_role("button", name="Sign out").first.click()
            page.wait_for_url(f"{op.issuer}/leave?**")
            page.faults.clear()  # of another host, as it has to be
    finally:
        showing.stage.web = before
        showing.backstage.run(serving.__aexit__(None, None, None))
