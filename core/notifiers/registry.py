"""The kinds of notifiers by the word that the settings use."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from core.notifier import NotifierKind
from core.notifiers import alertmanager, apprise, email, file, pagerduty, slack, teams, webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.notifier import AnyKind, Means, Notifier, NotifierOptions

KINDS: Mapping[str, AnyKind] = MappingProxyType(
    {
        "file": NotifierKind(file.FileOptions, file.File),
        "webhook": NotifierKind(webhook.WebhookOptions, webhook.Webhook),
        "email": NotifierKind(email.EmailOptions, email.Email),
        "slack": NotifierKind(slack.SlackOptions, slack.opened),
        "teams": NotifierKind(teams.TeamsOptions, teams.Teams),
        "pagerduty": NotifierKind(pagerduty.PagerDutyOptions, pagerduty.PagerDuty),
        "alertmanager": NotifierKind(alertmanager.AlertmanagerOptions, alertmanager.Alertmanager),
        "apprise": NotifierKind(apprise.AppriseOptions, apprise.Apprise),
    }
)


def open_all(options: Mapping[str, NotifierOptions], means: Means) -> dict[str, Notifier]:
    """The notifiers of the settings, by name; nothing is reached yet."""
    return {name: KINDS[each.kind].open(name, each, means) for name, each in options.items()}
