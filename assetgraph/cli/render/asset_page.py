"""The page of one asset: its definition, its value and its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.render.code_version_lines import code_lines
from assetgraph.cli.render.metadata_lines import metadata_lines, metadata_text
from assetgraph.cli.render.read_lines import read_lines
from assetgraph.cli.render.state_style import asset_state_line, glyph, warned
from assetgraph.cli.render.status_lines import shown_reasons
from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.styled_text import (
    Line,
    clean_lines,
    first_few,
    stacked,
    wrapped,
)
from assetgraph.cli.terminal.table import Column, table
from assetgraph.keys import Target
from assetgraph.queries.asset_views import WARNING
from assetgraph.records import Materialization, StepState
from assetgraph.storage.formats.format_registry import location_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from assetgraph.queries.asset_views import AssetDetails, ExternalData
    from assetgraph.records import FailedAttempt

_HISTORY = (
    Column("PARTITION", least=10),
    Column("WHEN"),
    Column("RUN", drop=1),
    Column("TIME", right=True),
    Column("OUTCOME", least=16),
)
_PIPE_WIDTH = 100


def asset_page(details: AssetDetails, width: int | None) -> list[Line]:
    view = details.view
    asset = view.asset
    text_width = (width or _PIPE_WIDTH) - 2
    name = str(Target(asset.key, details.partition))
    lines = [Line((name, "name"), "  ", asset_state_line(view))]
    for reason in first_few(shown_reasons(view)):
        room = None if width is None else text_width
        lines += [Line("  ", (text, "muted")).cut(width) for text in stacked([reason], room)]
    lines += warned(view.warning or "", width)
    if asset.description:
        lines += [Line(), *(Line("  ", text) for text in wrapped(asset.description, text_width))]
    lines += [Line(), *_facts(_definition(details), width)]
    if view.external is not None:
        lines += _external(view.external, width)
    if view.materialization:
        lines += [Line(), Line((_last_made(details, view.materialization), "heading"))]
        lines += _materialization(view.materialization, width)
    if view.checks:
        from assetgraph.cli.render.check_lines import check_section

        lines += check_section(view.checks, width)
    if details.code_version:
        lines += [Line(), Line(("Code version", "heading"))]
        lines += code_lines(details.covers, details.code_version, width)
    if details.observed and (details.observed.reads or not details.observed.known):
        lines += [Line(), Line(("Observed reads", "heading")), *read_lines(details.observed, width)]
    if view.failure:
        facts = {
            "When": _when(view.failure.timestamp, view.failure.run_id),
            "Partition": Line(_of_whole(details, view.failure)),
            "Error": Line((clean_lines(view.failure.error)[0], "failure")),
        }
        lines += [Line(), Line(("Last attempt failed", "heading")), *_facts(facts, width)]
    return lines + _history(details, width)


def _definition(details: AssetDetails) -> dict[str, Line]:
    """What the project says of the asset."""
    view, asset = details.view, details.view.asset
    return {
        "Group": Line(asset.group_name),
        "Kinds": Line(", ".join(sorted(asset.kinds))),
        "Owners": Line(", ".join(asset.owners)),
        "Tags": Line(", ".join(f"{name}={value}" for name, value in asset.tags.items())),
        "Defined at": Line((view.computation.place, "path")),
        "Partitions": Line(_partitions_text(details)),
        "Defined by": Line(details.partitions.definition if details.partitions else ""),
        "Default": Line((details.partitions and details.partitions.default) or ""),
        "Upstream": Line(", ".join(first_few(view.deps))),
        "Downstream": Line(", ".join(first_few(details.downstream))),
        "Made with": Line(_made_with(details)),
        "Config": Line(", ".join(f"{n}: {d}" for n, d in details.config_fields.items())),
        "Resources": Line(", ".join(resource.text for resource in details.resources)),
        "Metadata": Line(metadata_text(asset.metadata)),
    }


def _made_with(details: AssetDetails) -> str:
    """The other assets of its function, and the name of its step."""
    others = ", ".join(first_few(details.view.made_with))
    return f"{others}, by {details.view.computation.name}" if others else ""


def _partitions_text(details: AssetDetails) -> str:
    """How many partitions there are, how many in each state, and those that no longer exist."""
    shown, counts = details.partitions, details.view.partitions
    if shown is None or details.partition is not None:
        return ""
    text = f"{shown.count:,}"
    if shown.count:
        text += f", {shown.first}" + (f" to {shown.last}" if shown.count > 1 else "")
    if counts:
        text += ": " + ", ".join(f"{count:,} {state}" for state, count in counts.items())
    if shown.orphaned:
        verb = "exists" if len(shown.orphaned) == 1 else "exist"
        text += f"; {len(shown.orphaned):,} on record that no longer {verb}"
    return text


def _last_made(details: AssetDetails, made: Materialization) -> str:
    of = _of_whole(details, made)
    return f"Last materialization, of {of}" if of else "Last materialization"


def _of_whole(details: AssetDetails, attempt: Materialization | FailedAttempt) -> str:
    """The partition of an attempt, on the page of all of them."""
    return "" if details.partition is not None else attempt.partition or ""


def _history(details: AssetDetails, width: int | None) -> list[Line]:
    if len(details.history) <= 1:
        return []
    rows = [[Line(_of_whole(details, attempt)), *_attempt(attempt)] for attempt in details.history]
    shown = table(_HISTORY, rows, width and width - 2)
    return [Line(), Line(("History", "heading")), *(Line("  ", line) for line in shown)]


def _external(data: ExternalData, width: int | None) -> list[Line]:
    """What is known of data that something else makes."""
    if data.data_version is None:
        return []
    facts = {
        "Changed" if data.source else data.origin.capitalize(): Line(
            units.local_time(data.at) if data.at else ""
        ),
        "Size": Line("" if data.size is None else units.size(data.size)),
        "Data version": Line(data.data_version),
    }
    lines = [Line(), Line(("Data", "heading")), *_facts(facts, width)]
    if data.metadata:
        lines += [Line(), Line(("Metadata", "heading")), *metadata_lines(data.metadata, width)]
    return lines


def _attempt(attempt: Materialization | FailedAttempt) -> list[Line]:
    if isinstance(attempt, Materialization) and attempt.accepted_at is not None:
        outcome = Line(glyph(StepState.UNCHANGED), " accepted")
        return [Line(units.local_time(attempt.accepted_at)), Line(attempt.run_id), Line(), outcome]
    if isinstance(attempt, Materialization) and attempt.origin:
        outcome = Line(
            glyph(StepState.SUCCESS), f" {attempt.origin}, data {attempt.data_version[:8]}"
        )
    elif isinstance(attempt, Materialization):
        outcome = Line(glyph(StepState.SUCCESS), f" data {attempt.data_version[:8]}")
    else:
        outcome = Line(glyph(StepState.FAILURE), f" {clean_lines(attempt.error)[0]}")
    when = Line(units.local_time(attempt.timestamp))
    return [when, Line(attempt.run_id), Line(units.duration(attempt.duration_s)), outcome]


def _materialization(made: Materialization, width: int | None) -> list[Line]:
    lines = _facts(
        {
            "When": _when(made.timestamp, made.run_id),
            "Took": Line(units.duration(made.duration_s)),
            "Accepted": Line(units.local_time(made.accepted_at) if made.accepted_at else ""),
            "Value": _value(made),
            "Data version": Line(made.data_version),
            "Config": Line(", ".join(f"{name}={value}" for name, value in made.config.items())),
            "Tags": Line(", ".join(f"{name}={value}" for name, value in made.tags.items())),
        },
        width,
    )
    metadata = {name: value for name, value in made.metadata.items() if name != WARNING}
    if metadata:
        lines += [Line(), Line(("Metadata", "heading")), *metadata_lines(metadata, width)]
    return lines


def _facts(facts: Mapping[str, Line], width: int | None) -> list[Line]:
    cells = max((Line(name).width for name, line in facts.items() if line), default=0)
    return [
        Line("  ", Line((name, "muted")).fitted(cells), "  ", line).cut(width)
        for name, line in facts.items()
        if line
    ]


def _when(time: datetime, run_id: str) -> Line:
    return Line(units.local_time(time), (f"  run {run_id}", "muted"))


def _value(made: Materialization) -> Line:
    value = made.value
    location = location_of(value)
    if location == "nowhere":
        return Line()
    if location == "io_manager":
        return Line("stored by its IO manager")
    kept = Line((value.path, "path")) if value.path else Line("in the asset's history")
    size = "" if value.size is None else f"  {units.size(value.size)}"
    form = "" if location == "project" else f"  {value.format}"
    return Line(kept, form, (size, "muted"))
