"""Bytes as text: what labels mean, what they hide, and what bytes without one look like."""

from __future__ import annotations

import pytest

from core.transport import charsets, mime
from core.transport.faults import Fault
from tests.core import letters

KOREAN = "안녕하세요, 주문한 상품은 언제 도착하나요? 배송 조회가 되지 않습니다."
JAPANESE = "こんにちは。注文した商品はいつ届きますか。配送状況が更新されません。"
CHINESE = "你好,我的订单什么时候能到?物流信息没有更新。谢谢。"
GERMAN = "Guten Tag, wann kommt mein Paket? Es ist schon überfällig. Schöne Grüße"
RUSSIAN = "Здравствуйте, когда придёт моя посылка? Заказ был сделан неделю назад."


@pytest.mark.parametrize(
    ("words", "codec", "label"),
    [
        (KOREAN, "cp949", "ks_c_5601-1987"),
        ("똠방각하", "cp949", "euc-kr"),
        (CHINESE + "镕", "gb18030", "gb2312"),
        ("“10 €” später", "cp1252", "iso-8859-1"),
        ("“10 €” später", "cp1252", "us-ascii"),
        ("①髙﨑", "cp932", "shift_jis"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        ("ｱｲｳ", "iso2022_jp_ext", "ISO-2022-JP"),
        ("Teşekkürler, iyi günler", "cp1254", "iso-8859-9"),
        ("Grüße", "utf-8", "UTF8"),
        ("Grüße", "utf-8", '"utf-8"'),
        ("Grüße", "utf-16", "utf-16"),
        ("Grüße", "utf-7", "utf-7"),
        (GERMAN, "cp1252", "Windows-1252"),
        ("Dziękuję", "iso8859_2", "iso-8859-2"),
        ("10 €", "iso8859_15", "ISO-8859-15"),
    ],
)
def test_a_label_means_what_programs_mean_by_it(words, codec, label):
    faults = set()

    assert charsets.decoded(words.encode(codec), label, faults) == words
    assert faults == set()


@pytest.mark.parametrize("label", ["us-ascii", "iso-8859-1", "windows-1252"])
def test_utf_8_under_a_label_of_habit_is_utf_8(label):
    faults = set()

    assert charsets.decoded(GERMAN.encode(), label, faults) == GERMAN
    assert faults == {Fault.CHARSET_WRONG}


@pytest.mark.parametrize(
    ("words", "codec"),
    [(KOREAN, "cp949"), (JAPANESE, "cp932"), (CHINESE, "gb18030"), (JAPANESE, "iso2022_jp")],
)
def test_asian_bytes_under_a_label_of_habit_are_found_out(words, codec):
    faults = set()

    assert charsets.decoded(words.encode(codec), "us-ascii", faults) == words
    assert faults == {Fault.CHARSET_WRONG}


@pytest.mark.parametrize("label", ["", "unknown-8bit", "x-unknown", "default", "no-such-charset"])
@pytest.mark.parametrize(
    ("words", "codec"),
    [
        (GERMAN, "utf-8"), (GERMAN, "cp1252"), (KOREAN, "cp949"), (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"), (JAPANESE, "iso2022_jp"), (CHINESE, "gb18030"), (RUSSIAN, "cp1251"),
        (GERMAN, "utf-16"),
    ],
)  # fmt: skip
def test_bytes_without_a_label_are_guessed(words, codec, label):
    faults = set()

    assert charsets.decoded(words.encode(codec), label, faults) == words
    assert faults == ({Fault.CHARSET_UNKNOWN} if label == "no-such-charset" else set())


def test_a_text_cut_inside_a_character_stays_what_it_claims_to_be():
    faults = set()

    assert charsets.decoded((KOREAN + "가").encode()[:-1], "utf-8", faults) == KOREAN + "\ufffd"
    assert faults == {Fault.CHARSET_WRONG}


def test_bytes_of_no_charset_become_text_with_gaps():
    faults = set()

    assert charsets.decoded(b"caf\xe9 \x81\x8d", "utf-8", faults).startswith("caf")
    assert faults == {Fault.CHARSET_WRONG}


@pytest.mark.parametrize(
    "label",
    ["idna", "punycode", "unicode_escape", "raw_unicode_escape", "zlib_codec", "zip", "base64",
     "rot13", "hex", "uu", "quopri", "bz2", "undefined", "mbcs", "../../x", "os", "aliases"],
)  # fmt: skip
def test_what_is_a_codec_of_python_and_no_charset_is_unknown(label):
    assert charsets.meant(label) is None
    assert charsets.decoded(b"\\u0041 x\xc3\xbc", label, set()) == "\\u0041 xü"


def test_no_row_is_handed_what_it_cannot_hold():
    assert charsets.decoded(b"a\x00b", "utf-8", set()) == "a\ufffdb"
    assert charsets.decoded(b"+2AA-", "utf-7", set()).isprintable()
    assert charsets.decoded(b"\xef\xbb\xbfx", "utf-8", set()) == "x"


@pytest.mark.parametrize(
    ("words", "codec", "label"),
    [
        (KOREAN, "cp949", "ks_c_5601-1987"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (GERMAN, "utf-8", "us-ascii"),
        (KOREAN, "cp949", ""),
    ],
)
def test_text_and_subject_of_a_letter_are_read_alike(words, codec, label):
    mail = mime.read(letters.in_charset(words, codec, label))

    assert (mail.text, mail.subject) == (words, words)
