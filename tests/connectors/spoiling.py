"""Payloads of which one part is anything at all: what a marketplace may come to send."""

from __future__ import annotations

import json
from copy import deepcopy

from hypothesis import strategies as st

ODD = ("", "\x00", "\ud800", "x" * 3000, "2026-13-01T00:00:00Z")


def anything(*words):
    """Any JSON, *words* of the marketplace's own among it."""
    return st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(), max_size=20)
        | st.sampled_from([*ODD, *words]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    )


def places(content, path=()):
    """The path of *content* itself, and of each part in it."""
    yield path
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    for part, inner in parts:
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, part))
        else:
            yield (*path, part)


def changed(content, path, value, *, drop):
    """*content* with *value* at *path*, or without what is there; as it comes off the wire."""
    content = deepcopy(content)
    inner = content
    for part in path[:-1]:
        inner = inner[part]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.loads(json.dumps(content))
