"""Header lines: words in any charset, folded, broken, and what they must never become."""

from __future__ import annotations

import pytest

from core.transport import addresses, headers, mime
from tests.core import letters


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe_an_alle?=", "Grüße an alle"),
        ("=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=", "Grüße"),
        ("=?UTF-8?Q?Gr=C3?=\r\n =?utf-8?Q?=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?B?R3LDv?= =?utf-8?B?MOfZQ?=", "Grüße"),
        ("=?utf-8?Q?Wo ist mein Paket??=", "Wo ist mein Paket?"),
        ("=?utf-8?Q?Wo?=20ist es?=", "Wo? ist es"),
        ("=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"),
        ("=?utf-8?q?b?= =?iso-8859-1?q?=FC?= c", "bü c"),
        ("=?ks_c_5601-1987?B?xMe3xyDIrsDO?=", "퀀픽 확인"),
        ("=?iso-2022-jp?B?GyRCJCobKEI=?= =?iso-2022-jp?B?GyRCQ0cbKEI=?=", "お断"),
        ("=?invented?Q?abc?=", "abc"),
        ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        ("=?utf-8?B?abc", "=?utf-8?B?abc"),
        ("=?utf-8?B?!!!!?=", ""),
        ("2 =? 3", "2 =? 3"),
    ],
)
def test_encoded_words_are_read(said, text):
    if text == "퀀픽 확인":
        text = bytes.fromhex("c4c7b7c720c8aec0ce").decode("cp949")

    assert mime.read(letters.letter(Subject=said.encode())).subject == text


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_bytes_beyond_ascii_are_read_in_the_letters_own_charset(charset):
    mail = mime.read(letters.with_raw_headers(charset))

    assert mail.subject == "Grüße von Jürgen Müller"
    assert mail.sender == mime.Address("Jürgen Müller", letters.BUYER)


def test_an_encoded_line_break_makes_no_header():
    mail = mime.read(letters.letter(Subject="=?utf-8?q?x=0D=0ABcc:_evil=40x=00?="))

    assert mail.subject.split() == ["x", "Bcc:", "evil@x\ufffd"]
    assert not {"\r", "\n", "\x00"} & set(mail.subject)
    assert "bcc" not in mail.headers


def test_what_servers_write_is_shown_as_it_stands():
    """A sender's address inside such a header must not become another result."""
    forged = "mx.example; spf=pass smtp.mailfrom==?utf-8?q?=3B_dkim=3Dpass_header=2Ed=3Dx?="
    mail = mime.read(letters.letter(Authentication_Results=forged))

    assert mail.header("authentication-results") == forged


def test_several_headers_of_a_name_stay_in_their_order():
    mail = mime.read(b"Received: one\r\nReceived: two\r\n" + letters.letter())

    assert mail.headers["received"] == ("one", "two")
    assert mail.header("received") == "one"
    assert mail.header("x-none") == ""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Ana <ana@Mail.Example>", [("Ana", "ana@mail.example")]),
        ('"Ana, B." <a@b>, c@d', [("Ana, B.", "a@b"), ("", "c@d")]),
        ("Müller, Hans <h@x>", [("Müller, Hans", "h@x")]),
        ("=?utf-8?Q?M=C3=BCller,_Hans?= <h@x>", [("Müller, Hans", "h@x")]),
        ("a@b (Ana (the buyer))", [("Ana (the buyer)", "a@b")]),
        ("Shop (Berlin <a@b>", [("Shop (Berlin", "a@b")]),
        ("Shop: a@b, c@d;", [("", "a@b"), ("", "c@d")]),
        ("undisclosed-recipients:;", []),
        ("<>", []),
        ("", []),
        ("nobody at all", []),
        ("MAILER-DAEMON", [("", "MAILER-DAEMON")]),
        ("Mail System <MAILER-DAEMON>", [("Mail System", "MAILER-DAEMON")]),
        ('"support@amazon.com" <evil@x>', [("support@amazon.com", "evil@x")]),
        ("support@amazon.com <evil@x>", [("support@amazon.com", "evil@x")]),
        ("=?utf-8?q?support=40amazon=2Ecom=3E=2C?= <evil@x>", [("support@amazon.com>,", "evil@x")]),
        ("Ana <a@b", [("Ana", "a@b")]),
        ("Ana <a b@c>", [("Ana", "ab@c")]),
        ("<" + "x" * 400 + "@y>", []),
        ('"Quo\\"te" <a@b>', [('Quo"te', "a@b")]),
        ("a@b@c", [("", "a@b@c")]),
    ],
)
def test_addresses_are_read(said, found):
    assert list(addresses.read(said, set())) == found


@pytest.mark.parametrize(
    ("said", "main", "parameters"),
    [
        (b"text/plain; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        (b'TEXT/Plain ; Charset = "utf-8"', "text/plain", {"charset": "utf-8"}),
        (b'a/b; name="x;y=z\\"q"', "a/b", {"name": 'x;y=z"q'}),
        (b'a/b; name="=?utf-8?q?=C3=BC?="', "a/b", {"name": "ü"}),
        (b"a/b; name*=utf-8'de'%C3%BC", "a/b", {"name": "ü"}),
        (b"a/b; name*0=x; name*2=z", "a/b", {"name": "x"}),
        (b"a/b; name*0*=utf-8''%C3; name*1*=%BC; name*2=y", "a/b", {"name": "üy"}),
        (b"a/b; name*x=1", "a/b", {"name": "1"}),
        (b"text", "text", {}),
        (b"", "", {}),
        (b"; charset=x", "", {"charset": "x"}),
    ],
)
def test_parameters_are_read(said, main, parameters):
    assert headers.value(said, set()) == (main, parameters)
