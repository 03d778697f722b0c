"""What goes wrong by HTTP elsewhere, as it goes wrong by IMAP and SMTP."""

from __future__ import annotations


def faults(fault):
    """What happens to who reads, and to who sends."""
    if fault.kind in {"slow", "drop"}:
        return {
            "slow": ("imap_silent", "smtp_slow"),
            "drop": ("imap_drop", "smtp_drop_after_data"),
        }[fault.kind]
    if fault.kind in {"truncated", "missing"} or fault.status in {400, 404}:
        return "imap_refuse_folder", "smtp_refuse_recipient"
    return {
        401: ("imap_refuse_login", "smtp_refuse_login"),
        403: ("imap_refuse_login", "smtp_refuse_sender"),
        425: ("imap_drop", "smtp_refuse_data"),
        429: ("imap_limit", "smtp_limit"),
    }.get(fault.status, ("imap_drop", "smtp_drop_after_data"))
