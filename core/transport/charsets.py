"""Bytes as text, whatever charset they claim. Pure.

The declared charset, by the names that browsers give to it (WHATWG: a label of Latin-1 means
Windows' superset), then what the bytes look like, then Latin-1 with gaps marked: always a text.
"""

from __future__ import annotations

import re
from encodings.aliases import aliases

from core.transport.faults import Fault

try:
    from charset_normalizer import from_bytes
except ImportError as fault:  # pragma: no cover  # the extra is there wherever tests run
    raise ImportError("reading letters needs an extra: pip install 'replyby[mail]'") from fault

MEANT = {
    "ks_c_5601_1987": "cp949",
    "ks_c_5601_1989": "cp949",
    "ksc5601": "cp949",
    "ksc_5601": "cp949",
    "euc_kr": "cp949",
    "euckr": "cp949",
    "korean": "cp949",
    "gb2312": "gb18030",
    "gb_2312_80": "gb18030",
    "gbk": "gb18030",
    "x_gbk": "gb18030",
    "chinese": "gb18030",
    "big5": "big5hkscs",
    "iso_8859_1": "cp1252",
    "iso8859_1": "cp1252",
    "iso_8859_8_i": "iso8859_8",
    "latin1": "cp1252",
    "latin_1": "cp1252",
    "us_ascii": "cp1252",
    "ascii": "cp1252",
    "ansi_x3.4_1968": "cp1252",
    "iso_8859_9": "cp1254",
    "iso8859_9": "cp1254",
    "iso_8859_11": "cp874",
    "tis_620": "cp874",
    "shift_jis": "cp932",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "x_sjis": "cp932",
    "iso_2022_jp": "iso2022_jp_ext",
    "iso2022_jp": "iso2022_jp_ext",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "utf8": "utf_8",
    "utf_8": "utf_8",
    "unicode_1_1_utf_8": "utf_8",
    "utf8mb4": "utf_8",
}
"""What a label means where it means more than Python's codec of that name."""

UNSAID = frozenset(
    {"", "unknown_8bit", "x_unknown", "unknown", "default", "default_charset", "_iso_8859_1$esc"}
)
"""Labels by which a letter says that it does not know."""

WESTERN = frozenset({"cp1252", "iso8859_15"})
"""Charsets that any bytes fit, and that programs claim by habit: UTF-8 under them is UTF-8."""

NO_CHARSETS = frozenset({
    "idna", "punycode", "unicode_escape", "raw_unicode_escape", "unicode_internal", "undefined",
    "mbcs", "oem", "palmos", "base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13",
    "uu_codec", "zlib_codec", "tactis",
})  # fmt: skip
"""Python's codecs that are no charsets: some take quadratic time, some open archives."""

KNOWN = frozenset(aliases.values()) - NO_CHARSETS | {
    "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_r", "koi8_t", "koi8_u",
    "mac_croatian", "mac_cyrillic", "mac_romanian", "utf_8_sig", "utf_16", "utf_32",
}  # fmt: skip
"""A closed list: an invented label costs no search for a codec, and no memory."""

LIKELY = (
    "cp949", "cp932", "euc_jp", "gb18030", "big5", "cp1252", "cp1250", "cp1251", "koi8_r", "cp1254",
    "cp1253", "cp1255", "cp1256", "cp874",
)  # fmt: skip
"""What buyers' letters without a label are written in; more candidates make more wrong guesses."""

SAMPLE = 4_096
"""Bytes that a guess looks at: a paragraph is enough, and the guess is the dearest step."""

BEYOND = bytes(range(0x80, 0x100))

MOST_BEYOND = 0.4
"""Share of bytes beyond ASCII that no text in Latin letters has."""

TOLERATED = 0.1
"""Share of gaps among the characters beyond ASCII below which a text is what it claims to be."""

UNFIT = re.compile("[\x00\ud800-\udfff]")
"""What no row of the database can hold."""


def decoded(raw: bytes, label: str, faults: set[Fault]) -> str:
    """*raw* as text: *label* is the charset that it claims, empty where it claims none."""
    if raw.isascii() and b"\x1b" not in raw and b"\x00" not in raw and not _is_wide(label):
        return raw.decode("ascii")
    return UNFIT.sub("\ufffd", _text(raw, label, faults)).removeprefix("\ufeff")


def _text(raw: bytes, label: str, faults: set[Fault]) -> str:
    name = meant(label)
    if name is None:
        if _plain(label) not in UNSAID:
            faults.add(Fault.CHARSET_UNKNOWN)
        return _guessed(raw, faults)
    return _as_labelled(raw, name, faults)


def meant(label: str) -> str | None:
    """The codec that *label* names; None where it names none, or says that it does not know."""
    name = _plain(label)
    if name in UNSAID:
        return None
    name = MEANT.get(name) or aliases.get(name, name)
    name = MEANT.get(name, name)
    return name if name in KNOWN else None


def _plain(label: str) -> str:
    return re.sub(r"[\s\-]+", "_", label[:60].strip(" \t\"'").lower())


def _is_wide(label: str) -> bool:
    """Whether ASCII bytes may be other letters under this label (UTF-16, UTF-7, HZ)."""
    said = label.lower()
    return ("utf" in said and not said.endswith("8")) or "hz" in said


def _as_labelled(raw: bytes, name: str, faults: set[Fault]) -> str:
    if name in WESTERN and _is_not_western(raw):
        faults.add(Fault.CHARSET_WRONG)
        return _guessed(raw, faults)
    text = _strictly(raw, name)
    if text is not None:
        return text
    faults.add(Fault.CHARSET_WRONG)
    damaged = raw.decode(name, "replace")
    return damaged if _is_mostly_whole(damaged) else _guessed(raw, faults)


def _is_not_western(raw: bytes) -> bool:
    if raw.isascii():
        return b"\x1b$" in raw
    sample = raw[:SAMPLE]
    plain = len(sample.translate(None, BEYOND))
    foreign = len(sample) - plain > MOST_BEYOND * len(sample)
    return foreign or _strictly(raw, "utf_8") is not None


def _strictly(raw: bytes, name: str) -> str | None:
    try:
        return raw.decode(name)
    except (UnicodeError, LookupError):
        return None


def _is_mostly_whole(text: str) -> bool:
    """Whether the gaps are few: a text cut inside a character is not of another charset."""
    gaps = text.count("\ufffd")
    return gaps <= TOLERATED * sum(not c.isascii() for c in text)


def _guessed(raw: bytes, faults: set[Fault]) -> str:
    """*raw* in the charset that its bytes look like."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf_16", "replace")
    text = _strictly(raw, "utf_8")
    if text is not None and not (b"\x1b$" in raw or b"\x1b(" in raw):
        return text
    if b"\x1b$" in raw:
        return raw.decode("iso2022_jp_ext", "replace")
    likely = _likely(raw)
    text = _strictly(raw, likely) if likely else None
    if text is None:
        faults.add(Fault.CHARSET_WRONG)
        text = raw.decode(likely or "cp1252", "replace")
    return text


def _likely(raw: bytes) -> str | None:
    """What the bytes about the first that is not ASCII look like; None where they say nothing."""
    beyond = re.search(rb"[\x80-\xff]", raw)
    if beyond is None:
        return None
    start = max(0, beyond.start() - SAMPLE // 4)
    try:
        best = from_bytes(raw[start : start + SAMPLE], cp_isolation=list(LIKELY)).best()
    except Exception:  # noqa: BLE001  # a guess that fails is no guess; what it may raise is not said
        return None
    return best.encoding if best else None
