"""Reads YAML as dumpers write it for OpenAPI: block maps and lists, scalars over several lines.

No library for YAML is installed, and Chatwoot publishes its contract in nothing else. No anchors,
no tags, no block scalars; a flow collection is empty,
and line breaks of prose are lost.
"""

from __future__ import annotations

import json
import re

KEY = re.compile(r"""('(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s'"#][^#]*?):(?:\s+(.*))?$""")
WORDS = {"true": True, "false": False, "null": None, "~": None, "": None, "{}": {}, "[]": []}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def read(text):
    """The document."""
    lines = [
        (len(line) - len(line.lstrip()), line.strip()) for line in text.splitlines() if line.strip()
    ]
    return _Reader([one for line in lines for one in _parted(*line)]).block(0)


def _parted(indent, text):
    """A long key stands alone, after a question mark, and its value after a colon."""
    if text.startswith("? "):
        return [(indent, f"{text[2:]}:")]
    return [(indent + 2, text[2:])] if text.startswith(": ") else [(indent, text)]


class _Reader:
    def __init__(self, lines):
        self.lines, self.at = lines, 0

    def block(self, indent):
        """What stands at *indent*: a list, a map, or a scalar."""
        _, text = self.lines[self.at]
        if _is_item(text):
            return self._list(indent)
        return self._map(indent) if KEY.fullmatch(text) else self._scalar("", indent - 1)

    def _here(self, indent):
        return self.at < len(self.lines) and self.lines[self.at][0] == indent

    def _list(self, indent):
        found = []
        while self._here(indent) and _is_item(self.lines[self.at][1]):
            inner = self.lines[self.at][1][1:].lstrip()
            deeper = indent + len(self.lines[self.at][1]) - len(inner)
            self.lines[self.at] = (deeper, inner)
            if KEY.fullmatch(inner) or _is_item(inner):
                found.append(self.block(deeper))
            else:
                self.at += 1
                found.append(self._scalar(inner, indent))
        return found

    def _map(self, indent):
        found = {}
        while self._here(indent) and (match := KEY.fullmatch(self.lines[self.at][1])):
            key, rest = _value(match[1], key=True), match[2] or ""
            self.at += 1
            found[key] = self._scalar(rest, indent) if rest else self._inner(indent)
        return found

    def _inner(self, indent):
        """The value of a key that stands alone; a list may stand as far left as its key."""
        if self.at >= len(self.lines):
            return None
        deeper, text = self.lines[self.at]
        if deeper > indent or (deeper == indent and _is_item(text)):
            return self.block(deeper)
        return None

    def _scalar(self, text, indent):
        """*text*, and the lines that go on with it."""
        while not _is_whole(text) and self.at < len(self.lines):
            text = f"{text}\n{self.lines[self.at][1]}"
            self.at += 1
        if text[:1] not in ("'", '"'):
            while self.at < len(self.lines) and self.lines[self.at][0] > indent:
                text = f"{text} {self.lines[self.at][1]}".strip()
                self.at += 1
        return _value(text)


def _is_item(text):
    return text == "-" or text.startswith("- ")


def _is_whole(text):
    if text.startswith("'"):
        return re.fullmatch(r"'(?:[^']|'')*'", text) is not None
    if text.startswith('"'):
        return re.fullmatch(r'"(?:[^"\\]|\\.|\\\n)*"', text) is not None
    return True


def _value(text, *, key=False):
    if text.startswith("'"):
        return text[1:-1].replace("''", "'").replace("\n", " ")
    if text.startswith('"'):
        joined = re.sub(r"\\\n", "", text).replace("\n", " ")
        return json.loads(re.sub(r"\\ ", " ", joined))
    if key:
        return text
    if text in WORDS:
        return WORDS[text]
    return json.loads(text) if NUMBER.fullmatch(text) else text
