"""What panels are made of: queries, units, colours, links to the runbook.

Every panel has a description, a unit and `$datasource`: who builds one here cannot leave them out.
Names of units and colours are Grafana's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, YELLOW, ORANGE, RED, BLUE, PURPLE, GREY = (
    "green", "yellow", "orange", "red", "blue", "purple", "#8e8e8e",
)  # fmt: skip
PER_MINUTE = "suffix:/min"
SECONDS, COUNT, SHARE, BYTES, TIME = "s", "short", "percentunit", "bytes", "dateTimeFromNow"

AnyPanel = (
    stat.Panel
    | timeseries.Panel
    | table.Panel
    | heatmap.Panel
    | bargauge.Panel
    | statetimeline.Panel
)
PanelT = TypeVar(
    "PanelT",
    stat.Panel,
    timeseries.Panel,
    table.Panel,
    heatmap.Panel,
    bargauge.Panel,
    statetimeline.Panel,
)
NEVER = (
    model.RangeMap(
        options=model.DashboardRangeMapOptions(
            from_val=1e9, to=None, result=model.ValueMappingResult(text="never", color=RED, index=9)
        )
    ),
)
Step = tuple[float | None, str]
"""From which value (None: from the lowest) a colour counts."""


@dataclass(frozen=True, slots=True)
class Said:
    """What stands around a panel: title, description, heading of the runbook, width and height."""

    title: str
    text: str
    runbook: str = "first-look"
    width: int = 12
    height: int = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name, what fills it, how its value is shown."""

    name: str
    expr: str
    unit: str = COUNT
    steps: tuple[Step, ...] = ()
    decimals: int | None = None
    words: tuple[tuple[str, str, str], ...] = ()


def steps(*given: Step) -> dashboard.ThresholdsConfig:
    """Thresholds by value; without any, all is green."""
    marks = [model.Threshold(value, color) for value, color in given or ((None, GREEN),)]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(marks)


def query(expr: str, legend: str = "", ref: str = "A") -> prometheus.Dataquery:
    """What is asked over the range that is shown."""
    made = prometheus.Dataquery().ref_id(ref).datasource(SOURCE).expr(expr).range()
    return made.legend_format(legend or "__auto")


def once(expr: str, legend: str = "", ref: str = "A") -> prometheus.Dataquery:
    """What is asked at the end of the range only."""
    made = prometheus.Dataquery().ref_id(ref).datasource(SOURCE).expr(expr).instant()
    return made.legend_format(legend or "__auto")


def dressed(panel: PanelT, said: Said, unit: str) -> PanelT:
    """The panel with what each must have."""
    link = (
        dashboard.DashboardLink("Runbook")
        .type(model.DashboardLinkType.LINK)
        .url(f"${{runbook}}#{said.runbook}")
        .target_blank(target_blank=True)
    )
    panel.title(said.title).description(said.text).datasource(SOURCE).unit(unit)
    panel.span(said.width).height(said.height).links([link])
    return panel


def words(*given: tuple[str, str, str]) -> list[model.ValueMapping]:
    """Mappings of a value to a word and its colour."""
    options = {
        value: model.ValueMappingResult(text=text, color=color, index=at)
        for at, (value, text, color) in enumerate(given)
    }
    return [model.ValueMap(options=options)]


def number(
    said: Said,
    expr: str,
    unit: str = COUNT,
    *marks: Step,
    legend: str = "",
    empty: str = "none",
    decimals: int | None = None,
    mapped: Sequence[tuple[str, str, str]] = (),
    never: bool = False,
) -> stat.Panel:
    """One number, or one a series, coloured by its thresholds; *empty* where there is none.

    *never*: it is an age, and one since 1970 says that the thing has never been.
    """
    panel = dressed(stat.Panel(), said, unit).with_target(once(expr, legend))
    panel.thresholds(steps(*marks)).no_value(empty)
    panel.color_mode(shapes.BigValueColorMode.BACKGROUND_SOLID)
    panel.graph_mode(shapes.BigValueGraphMode.NONE)
    panel.justify_mode(shapes.BigValueJustifyMode.CENTER)
    panel.text_mode(shapes.BigValueTextMode.AUTO)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
    if mapped or never:
        panel.mappings([*(words(*mapped) if mapped else ()), *(NEVER if never else ())])
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def _legend() -> common.VizLegendOptions:
    made = common.VizLegendOptions().show_legend(show_legend=True)
    return made.display_mode(shapes.LegendDisplayMode.LIST).placement(shapes.LegendPlacement.BOTTOM)


def lines(
    said: Said,
    unit: str,
    *asked: tuple[str, str],
    marks: Sequence[Step] = (),
    colors: Mapping[str, str] | None = None,
    sparse: bool = False,
) -> timeseries.Panel:
    """Lines over time; thresholds are drawn as lines where *marks* are given.

    *sparse*: there is not something at each point; points are shown, and joined.
    """
    panel = dressed(timeseries.Panel(), said, unit).legend(_legend())
    for at, (expr, legend) in enumerate(asked):
        panel.with_target(query(expr, legend, chr(ord("A") + at)))
    points = shapes.VisibilityMode.ALWAYS if sparse else shapes.VisibilityMode.NEVER
    panel.line_width(1).fill_opacity(8).show_points(points).span_nulls(span_nulls=sparse)
    panel.axis_soft_min(0).thresholds(steps(*marks))
    panel.tooltip(
        common.VizTooltipOptions()
        .mode(shapes.TooltipDisplayMode.MULTI)
        .sort(shapes.SortOrder.DESCENDING)
    )
    if marks:
        mode = shapes.GraphThresholdsStyleMode.DASHED
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(mode))
    for name, color in (colors or {}).items():
        panel.override_by_name(name, [_fixed(color)])
    return panel


def stacked(
    said: Said,
    unit: str,
    *asked: tuple[str, str],
    colors: Mapping[str, str] | None = None,
    bars: bool = False,
    every: str = "",
) -> timeseries.Panel:
    """Areas, or bars, upon one another; a bar stands for *every* at least."""
    panel = lines(said, unit, *asked, colors=colors)
    panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    panel.fill_opacity(70 if bars else 35)
    if bars:
        panel.draw_style(shapes.GraphDrawStyle.BARS)
    if every:
        panel.interval(every)
    return panel


def heat_map(said: Said, unit: str, expr: str) -> heatmap.Panel:
    """How often each bucket of a histogram was hit, over time."""
    asked = query(expr, "{{le}}").format(PromQueryFormat.HEATMAP)
    panel = dressed(heatmap.Panel(), said, unit).with_target(asked).interval("1m")
    panel.calculate(calculate=False).y_axis(heatmap.YAxisConfig().unit(unit))
    panel.color(
        heatmap.HeatmapColorOptions()
        .mode(heat.HeatmapColorMode.SCHEME)
        .scheme("Oranges")
        .scale(heat.HeatmapColorScale.EXPONENTIAL)
        .exponent(0.5)
        .steps(64)
    )
    panel.cell_gap(1).show_color_scale(show_color_scale=True).mode(shapes.TooltipDisplayMode.SINGLE)
    panel.show_legend()
    return panel


def spans(said: Said, expr: str, legend: str, *mapped: tuple[str, str, str]) -> statetimeline.Panel:
    """When each of several things was so."""
    panel = dressed(statetimeline.Panel(), said, "none").with_target(query(expr, legend))
    panel.mappings(words(*mapped)).show_value(shapes.VisibilityMode.NEVER).row_height(0.8)
    panel.merge_values(merge_values=True).fill_opacity(80).line_width(0)
    panel.legend(_legend()).no_value("none")
    return panel


def listing(
    said: Said,
    keys: Sequence[str],
    *columns: Column,
    first: str,
    rising: bool = True,
    empty: str = "-",
) -> table.Panel:
    """A table: a row for each set of *keys*, sorted by the column *first*.

    *empty* stands in a cell without a value, and where there is no row.
    """
    panel = dressed(table.Panel(), said, COUNT).no_value(empty)
    values = [f"Value #{_ref(at)}" for at in range(len(columns))] if columns[1:] else ["Value"]
    for at, column in enumerate(columns):
        asked = once(column.expr, ref=_ref(at)).format(PromQueryFormat.TABLE)
        panel.with_target(asked)
        panel.override_by_name(column.name, _shown(column))
    if len(columns) > 1:
        panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    names = [*keys, *values]
    organized = {
        "excludeByName": {"Time": True},
        "indexByName": {name: at for at, name in enumerate(names)},
        "renameByName": dict(zip(values, (c.name for c in columns), strict=True)),
    }
    panel.with_transformation(model.DataTransformerConfig(id_val="organize", options=organized))
    panel.sort_by([common.TableSortByFieldState().display_name(first).desc(desc=not rising)])
    panel.cell_height(shapes.TableCellHeight.SM).show_header(show_header=True)
    return panel.filterable(filterable=True)


def _ref(at: int) -> str:
    return chr(ord("A") + at)


def _fixed(color: str) -> model.DynamicConfigValue:
    return model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})


def _shown(column: Column) -> list[model.DynamicConfigValue]:
    """How a column's cells look: unit, colours by thresholds, words for values."""
    made = [model.DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.decimals is not None:
        made.append(model.DynamicConfigValue(id_val="decimals", value=column.decimals))
    if column.words:
        made.append(model.DynamicConfigValue(id_val="mappings", value=words(*column.words)))
    if column.steps:
        marks = {"mode": "absolute", "steps": [{"value": v, "color": c} for v, c in column.steps]}
        made.append(model.DynamicConfigValue(id_val="thresholds", value=marks))
    if column.steps or column.words:
        cell = {"type": "color-background", "mode": "basic"}
        made.append(model.DynamicConfigValue(id_val="custom.cellOptions", value=cell))
    return made
