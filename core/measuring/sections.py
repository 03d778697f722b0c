"""The sections of the page of metrics: what belongs together, and what is to be known of it."""

from __future__ import annotations

from core.instruments import Section

DEADLINES = Section("Deadlines")
BLINDNESS = Section("Blindness")
INGESTION = Section("Ingestion")
API = Section("Marketplace API")
PUSHES = Section("Pushes")
NOTIFICATIONS = Section("Notifications")
ENGINE = Section("Engine")
SERVICE = Section("Service")

ALL = (DEADLINES, BLINDNESS, INGESTION, API, PUSHES, NOTIFICATIONS, ENGINE, SERVICE)
"""In the order of the page; a section that is not listed here stands behind these."""
