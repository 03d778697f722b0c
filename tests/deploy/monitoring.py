"""The kinds of the Prometheus operator: what we write of them as JSON Schema, and nothing else."""

from __future__ import annotations

NAMED = {"type": "object", "required": ["name", "labels"]}
LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
RULE = {
    "type": "object", "additionalProperties": False, "required": ["expr"],
    "properties": {
        "alert": {"type": "string"}, "record": {"type": "string"}, "expr": {"type": "string"},
        "for": {"type": "string"}, "keep_firing_for": {"type": "string"},
        "labels": LABELS, "annotations": LABELS,
    },
}  # fmt: skip
GROUP = {
    "type": "object", "additionalProperties": False, "required": ["name", "rules"],
    "properties": {
        "name": {"type": "string"}, "interval": {"type": "string"}, "limit": {"type": "integer"},
        "rules": {"type": "array", "minItems": 1, "items": RULE},
    },
}  # fmt: skip
ENDPOINT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["port"],
    "properties": {n: {"type": "string"} for n in ("port", "path", "interval", "scrapeTimeout")},
}
SPECS = {
    "PrometheusRule": {
        "type": "object", "additionalProperties": False, "required": ["groups"],
        "properties": {"groups": {"type": "array", "items": GROUP}},
    },
    "ServiceMonitor": {
        "type": "object", "additionalProperties": False, "required": ["selector", "endpoints"],
        "properties": {
            "jobLabel": {"type": "string"},
            "selector": {"type": "object", "properties": {"matchLabels": LABELS}},
            "endpoints": {"type": "array", "minItems": 1, "items": ENDPOINT},
        },
    },
}  # fmt: skip
