"""The list of assets, and all about one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assetgraph.cli import units
from assetgraph.cli.style import state_line
from assetgraph.cli.table import Column, table
from assetgraph.cli.text import Line, clean_lines, wrapped
from assetgraph.metadata import MetadataValue
from assetgraph.plan import ReasonKind
from assetgraph.text import first_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from assetgraph.queries import AssetDetails, AssetView
    from assetgraph.records import Materialization

_COLUMNS = (
    Column("ASSET"),
    Column("STATE"),
    Column("GROUP", drop=2),
    Column("KINDS", drop=4),
    Column("MADE", drop=1),
    Column("DESCRIPTION", least=16, drop=3),
)
_PIPE_WIDTH = 100


def asset_table(views: Sequence[AssetView], now: datetime, width: int | None) -> list[Line]:
    grouped = any(view.asset.group_name != "default" for view in views)
    rows = [
        [
            Line(view.asset.key.text),
            state_line(view.state),
            Line(view.asset.group_name if grouped else ""),
            Line(", ".join(sorted(view.asset.kinds))),
            Line(units.short_time(view.materialization.timestamp, now)
                 if view.materialization else ""),
            Line((first_line(view.asset.description), "muted")),
        ]
        for view in views
    ]  # fmt: skip
    return table(_COLUMNS, rows, width)


def warning_lines(views: Iterable[AssetView]) -> list[Line]:
    """What the assets' current values warn of: their metadata named `warning`."""
    return [
        Line((f"! {view.asset.key.text}: {warning}", "warning"))
        for view in views
        if (warning := _warning(view.materialization))
    ]


def asset_page(details: AssetDetails, width: int | None) -> list[Line]:
    view = details.view
    asset = view.asset
    text_width = (width or _PIPE_WIDTH) - 2
    lines = [Line((asset.key.text, "name"), "  ", state_line(view.state))]
    lines += [Line("  ", (text, "muted")).cut(width) for text in shown_reasons(view)]
    warning = _warning(view.materialization)
    lines += [Line(("! " + part, "warning")) for part in wrapped(warning, text_width)
              if warning]  # fmt: skip
    if asset.description:
        lines += [Line(), *(Line("  ", text) for text in wrapped(asset.description, text_width))]
    facts = {
        "Group": Line(asset.group_name),
        "Kinds": Line(", ".join(sorted(asset.kinds))),
        "Owners": Line(", ".join(asset.owners)),
        "Tags": Line(", ".join(f"{name}={value}" for name, value in asset.tags.items())),
        "Defined at": Line((asset.place, "path")),
        "Upstream": Line(", ".join(view.deps)),
        "Downstream": Line(", ".join(details.downstream)),
        "Config": Line(", ".join(f"{n}: {d}" for n, d in details.config_fields.items())),
        "Metadata": Line(_metadata_line(asset.metadata)),
    }
    lines += [Line(), *_facts(facts, width)]
    if view.materialization:
        lines += [Line(), Line(("Last materialization", "heading"))]
        lines += _materialization(view.materialization, width)
    if view.failure:
        facts = {
            "When": _when(view.failure.timestamp, view.failure.run_id),
            "Error": Line((clean_lines(view.failure.error)[0], "failure")),
        }
        lines += [Line(), Line(("Last attempt failed", "heading")), *_facts(facts, width)]
    return lines


def _materialization(made: Materialization, width: int | None) -> list[Line]:
    lines = _facts(
        {
            "When": _when(made.timestamp, made.run_id),
            "Took": Line(units.duration(made.duration_s)),
            "Value": _value(made),
            "Data version": Line(made.data_version),
            "Config": Line(", ".join(f"{name}={value}" for name, value in made.config.items())),
        },
        width,
    )
    if made.metadata:
        values = {name: _metadata(value) for name, value in made.metadata.items()}
        lines += [Line(("  Metadata", "muted"))]
        lines += [Line("  ", line).cut(width) for line in _facts(values, None)]
    return lines


def shown_reasons(view: AssetView) -> list[str]:
    """Why the asset is not up to date, but for what its state says already."""
    return [r.text for r in view.reasons if r.kind is not ReasonKind.NEVER_MATERIALIZED]


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
    if value.format == "none":
        return Line()
    kept = Line((value.path, "path")) if value.path else Line("in its record")
    size = "" if value.size is None else f"  {units.size(value.size)}"
    return Line(kept, f"  {value.format}", (size, "muted"))


def _metadata(recorded: Any) -> Line:
    value = MetadataValue.from_json(recorded)
    match value.kind:
        case "int":
            return Line(f"{value.value:,}")
        case "timestamp":
            return Line(units.local_time(datetime.fromtimestamp(value.value, UTC)))
        case "url" | "path":
            return Line((value.value, "path"))
        case "table":
            return Line(f"table of {len(value.value)} rows")
        case "json":
            return Line(_compact_json(value.value))
    return Line(str(value.value))


def _metadata_line(metadata: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_metadata(value).plain}" for name, value in metadata.items())


def _compact_json(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


def _warning(made: Materialization | None) -> str:
    warning = made.metadata.get("warning", "") if made else ""
    return str(MetadataValue.from_json(warning).value) if warning else ""
