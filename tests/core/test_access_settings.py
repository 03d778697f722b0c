"""The table `[web]`: who may look at the board, and how they are known."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network

import pytest

from core import settings
from core.access import Role
from core.errors import SettingsError
from tests.core.test_settings import ENVIRON, GOOD, NOW, SPECS

OIDC = """
public_url = "https://desk.example"
proxies = ["127.0.0.1"]
sign_in = "oidc"
[web.oidc]
issuer = "https://login.example/realms/shop"
client_id = "replyby"
client_secret = "env:OIDC_SECRET"
[web.groups.support]
role = "agent"
accounts = ["shop-fr"]
"""


@pytest.fixture
def read(tmp_path):
    def read(web):
        path = tmp_path / "settings.toml"
        path.write_text(f"{GOOD}\n[web]\n{web}")
        environ = {**ENVIRON, "OIDC_SECRET": "a-secret-of-the-client"}
        return settings.load(path, SPECS, environ, sandbox=False, now=NOW)

    return read


def test_an_empty_table_opens_a_board_on_this_machine_with_passwords(read):
    found = read("")

    assert (found.web.listen, found.web.sign_in, found.web.secure) == (
        "127.0.0.1:8080",
        "password",
        False,
    )
    assert found.web.session_address == "network"
    assert [line for line in found.warnings if line.startswith("web.")] == []


def test_a_provider_its_groups_and_proxies_are_read(read):
    found = read(OIDC)

    assert found.web.secure
    assert found.web.proxies == (ip_network("127.0.0.1/32"),)
    assert found.web.groups["support"].role is Role.AGENT
    assert found.web.oidc.skew == timedelta(seconds=60)
    assert "a-secret-of-the-client" in found.secrets
    assert "a-secret-of-the-client" not in repr(found.web)
    (doubt,) = [line for line in found.warnings if line.startswith("web.")]
    assert doubt.startswith("web.groups: no group is admin")


@pytest.mark.parametrize(
    ("web", "complaint"),
    [
        ('sign_in = "card"', "web.sign_in: is none of the allowed words; write 'password'"),
        ('sign_in = "oidc"', 'web: sign_in is "oidc" and no provider is named; add [web.oidc]'),
        (OIDC.replace('public_url = "https://desk.example"', ""), "write public_url"),
        (OIDC.replace('"env:OIDC_SECRET"', '"x"'), "a secret stands in the settings themselves"),
        (OIDC.replace("https://login", "http://login"), "is no https address"),
        (OIDC.replace("/realms/shop", "/?realm=shop"), "is no issuer"),
        (OIDC.replace("shop-fr", "shop-fx"), "web.groups.support.accounts: there is no account"),
        (OIDC.replace('"agent"', '"emperor"'), "web.groups.support.role: is none of the allowed"),
        ('sign_in = "proxy"', "anybody could say who they are"),
        ('proxies = ["everywhere"]', "web.proxies.0: is no network"),
        ("proxies = [127]", "is no network; write it in quotes"),
        ('session_idle = "1m"', "web.session_idle: signs people out while they write"),
        ('session_idle = "30d"', "session_longest is shorter than session_idle"),
        ('strict_transport = "1d"', "strict_transport shuts browsers out of a board without https"),
        ('session_address = "street"', "web.session_address: is none of the allowed words"),
        ('[web.proxy]\nheader = "X Forwarded"', "web.proxy.header: has characters"),
    ],
)
def test_a_fault_is_told_with_its_mend(read, web, complaint):
    with pytest.raises(SettingsError) as found:
        read(web)

    assert any(complaint in line for line in found.value.complaints), found.value.complaints


@pytest.mark.parametrize(
    ("web", "warning"),
    [
        ('listen = "0.0.0.0:8080"', "web.listen: 0.0.0.0:8080 can be reached from outside, where"),
        ('public_url = "https://desk.example"', "web.proxies: whoever comes by public_url"),
        (OIDC, "web.groups: no group is admin of all accounts"),
        ('proxies = ["0.0.0.0/0"]', "web.proxies: 0.0.0.0/0 is larger than a network of one's own"),
    ],
)
def test_what_is_allowed_and_not_wise_is_warned_of(read, web, warning):
    assert any(line.startswith(warning) for line in read(web).warnings)


@pytest.mark.parametrize(
    "web",
    [
        OIDC.replace('"agent"', '"admin"').replace('accounts = ["shop-fr"]', ""),
        '[web.groups.support]\nrole = "agent"',
    ],
)
def test_groups_of_which_one_makes_admins_or_none_counts_need_no_word(read, web):
    assert not any(line.startswith("web.groups") for line in read(web).warnings)
