"""What the mailbox's own server found out about a letter's sender (RFC 8601). Pure.

Anybody can write this header. So the caller names the servers that it trusts, and only the topmost
header of theirs is believed: a server puts its own above all that the sender wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

Verdict = Literal[
    "pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror", "unknown"
]
"""RFC 8601's words; ``unknown`` where the server says nothing, or a word that is none."""

VERDICTS = frozenset(get_args(Verdict))

LONGEST = 16_384
"""Characters of a header that are read: servers write a few hundred."""

QUOTABLE = re.compile(r"[\s=;\\]")
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"?|([();])|((?:[^\s"();\\]|\\.)++)|(\s++)|(.)')


class Signature(NamedTuple):
    """A DKIM signature: what became of it, and the domain that signed, in lower case."""

    verdict: Verdict
    domain: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What *server* found; ``unknown`` and empty where it says nothing of it."""

    server: str
    dkim: tuple[Signature, ...] = ()
    spf: Verdict = "unknown"
    spf_domain: str = ""
    dmarc: Verdict = "unknown"
    dmarc_domain: str = ""

    def vouches_for(self, domain: str) -> bool:
        """Whether the letter is signed by *domain* or below it, or DMARC passes for a From there.

        SPF alone vouches for nothing: it says who sent the envelope, which nobody reads.
        """
        signed = any(s.verdict == "pass" and within(s.domain, domain) for s in self.dkim)
        aligned = self.dmarc == "pass" and within(self.dmarc_domain, domain)
        return signed or aligned


def within(name: str, domain: str) -> bool:
    """Whether *name* is *domain* or lies below it."""
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


def findings(headers: Mapping[str, Sequence[str]], trusted: Collection[str]) -> Findings | None:
    """What the topmost header of a *trusted* server says; None where there is none.

    *trusted* are the names that these servers give themselves (``mx.google.com``), in any case; the
    empty one is a server that names itself not at all, as Microsoft's.
    """
    names = {name.lower() for name in trusted}
    for value in headers.get("authentication-results", ()):
        server, *methods = _sections(value[:LONGEST])
        name = _server(server)
        if name in names:
            return _read(name, methods if name else [server, *methods])
    return None


def _sections(value: str) -> list[list[str]]:
    """The words between semicolons, comments left out, quoted words whole."""
    sections: list[list[str]] = [[]]
    depth = 0
    glued = False
    for quoted, mark, word, space, _ in TOKEN.findall(value):
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif mark == ";":
            sections.append([])
        elif word or quoted:
            piece = word or QUOTABLE.sub("_", quoted)  # what is quoted can be no result
            if glued and sections[-1]:
                sections[-1][-1] += piece
            else:
                sections[-1].append(piece)
        glued = not space and not mark
    return sections


def _server(section: list[str]) -> str:
    """The name before the results, without its version; empty where results begin at once."""
    return section[0].lower() if section and "=" not in section[0] else ""


def _pairs(section: list[str]) -> Iterator[tuple[str, str]]:
    """``name=value`` in *section*; spaces around the sign are forgiven."""
    said = re.sub(r" *= *", "=", " ".join(section))
    for pair in said.split(" "):
        name, sign, value = pair.partition("=")
        if sign:
            yield name.lower(), value.lower()


def _read(server: str, methods: list[list[str]]) -> Findings:
    dkim: list[Signature] = []
    spf: tuple[Verdict, str] = ("unknown", "")
    dmarc: tuple[Verdict, str] = ("unknown", "")
    for section in methods:
        pairs = list(_pairs(section))
        if not pairs:
            continue
        method = pairs[0][0].partition("/")[0]
        verdict, properties = _verdict(pairs[0][1]), dict(reversed(pairs[1:]))
        if method == "dkim":
            dkim.append(Signature(verdict, _domain(properties, "header.d", "header.i")))
        elif method == "spf" and spf[0] == "unknown":
            spf = verdict, _domain(properties, "smtp.mailfrom", "smtp.helo")
        elif method == "dmarc" and dmarc[0] == "unknown":
            dmarc = verdict, _domain(properties, "header.from")
    return Findings(server, tuple(dkim), *spf, *dmarc)


def _verdict(word: str) -> Verdict:
    known: dict[str, Verdict] = {each: each for each in get_args(Verdict)}
    return known.get({"hardfail": "fail", "bestguesspass": "none"}.get(word, word), "unknown")


def _domain(properties: dict[str, str], *names: str) -> str:
    said = next((properties[name] for name in names if name in properties), "")
    return said.rpartition("@")[2].rstrip(".")
