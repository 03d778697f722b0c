"""What surrounds a dashboard's panels: variables, links, annotations, rows; and its JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.asked import of
from deploy.grafana.parts import BLUE, PURPLE, RED, SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deploy.grafana.parts import AnyPanel

RUNBOOK = "https://replyby.example/docs/runbook.md"
"""Where the links lead until somebody says where the runbook is kept: the variable `runbook`."""

Row = tuple[str, "Sequence[AnyPanel]"]

STARTED = (
    f"max by (instance, version, revision) ({of('process_start_time_seconds', 'fleet')}"
    f" * on (job, instance) group_left (version, revision) {of('replyby_build_info', 'fleet')})"
    " * 1000"
)
RELOADED = f"{of('replyby_config_last_reload_success_timestamp_seconds', 'fleet')} * 1000"
FIRED = (
    'max by (alertname, severity) (ALERTS{alertname=~"ReplyBy.+",alertname!="ReplyByWatchdog",'
    'alertstate="firing"})'
)


def built(
    uid: str, title: str, text: str, rows: Iterable[Row], *, since: str, instance: bool = False
) -> dashboard.Dashboard:
    """A dashboard of *rows*, with what each has."""
    made = dashboard.Dashboard(title).uid(uid).description(text).tags(["replyby"])
    made.timezone("browser").time(f"now-{since}", "now").refresh("30s").editable()
    made.tooltip(model.DashboardCursorSync.CROSSHAIR).week_start("monday").version(1)
    made.variables(_variables(instance=instance))
    made.link(
        dashboard.DashboardLink("replyby")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["replyby"])
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )
    for name, color, expr in (
        ("Starts", BLUE, STARTED), ("Reloads", PURPLE, RELOADED), ("Alerts", RED, FIRED),
    ):  # fmt: skip
        note = dashboard.AnnotationQuery().name(name).icon_color(color).expr(expr)
        made.annotation(note.datasource(SOURCE).enable(enable=name != "Alerts"))
    number = 0
    for heading, panels in rows:
        number += 1
        made.with_row(dashboard.Row(heading).id(number))
        for panel in panels:
            number += 1
            made.with_panel(panel.id(number))
    return made


def _variables(*, instance: bool) -> list[Any]:
    """The data source, which job, which marketplaces and accounts; where the runbook is kept."""
    chosen = [
        ("job", "Job", "label_values(replyby_build_info, job)"),
        ("marketplace", "Marketplace",
         'label_values(replyby_account_enabled{job=~"$job"}, marketplace)'),
        ("account", "Account",
         'label_values(replyby_account_enabled{job=~"$job",marketplace=~"$marketplace"}, account)'),
    ]  # fmt: skip
    if instance:
        asked = 'label_values(replyby_build_info{job=~"$job"}, instance)'
        chosen.append(("instance", "Process", asked))
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    runbook = dashboard.TextBoxVariable("runbook").label("Runbook").default_value(RUNBOOK)
    option = model.VariableOption(text=RUNBOOK, value=RUNBOOK)
    runbook.current(option).options([option]).hide(model.VariableHide.HIDE_VARIABLE)
    return [source, *(_choice(*each) for each in chosen), runbook]


def _choice(name: str, label: str, asked: str) -> dashboard.QueryVariable:
    """Several may be chosen; all of them is the default.

    For marketplaces and accounts that is also what carries no such label. For jobs and processes it
    is those that there are: Prometheus itself is no process of ours.
    """
    every = model.VariableOption(selected=True, text=["All"], value=["$__all"])
    wanted = {"qryType": 1, "query": asked, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
    made = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(wanted)
    made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).multi(multi=True)
    made.include_all(include_all=True).current(every)
    if name in {"marketplace", "account"}:
        made.all_value(".*")
    return made.sort(model.VariableSort.ALPHABETICAL_ASC)


SHOWN = {
    "Starts": {"titleFormat": "{{instance}} started", "textFormat": "{{version}} ({{revision}})",
               "useValueForTime": "on"},
    "Reloads": {"titleFormat": "Settings taken over", "textFormat": "{{instance}}",
                "useValueForTime": "on"},
    "Alerts": {"titleFormat": "{{alertname}}", "textFormat": "{{severity}}"},
}  # fmt: skip
"""What Prometheus' annotations say; the SDK has no words for it. A start and a reload are instants:
their value is the time of the mark."""


def written(made: dashboard.Dashboard) -> str:
    """The dashboard's JSON, the same from run to run."""
    content = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    for note in content["annotations"]["list"]:
        note |= {"step": "60s", "tagKeys": "alertname,instance", **SHOWN[note["name"]]}
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
