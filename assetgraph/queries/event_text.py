"""An event as a sentence and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assetgraph.records import Event, EventType, StoredValue
from assetgraph.storage.formats.format_registry import description_of
from assetgraph.text import shorten

_VALUE_CELLS = 60


def event_text(event: Event) -> str:
    """The event as a sentence."""
    if event.message is not None:
        return event.message
    data = event.data
    match event.type:
        case EventType.STEP_START:
            return "Started."
        case EventType.LOADED_INPUT:
            return _loaded_text(data)
        case EventType.STEP_OUTPUT:
            return (f"{event.target}: " if event.target else "") + _output_text(data)
        case EventType.ASSET_MATERIALIZATION:
            what = f"Materialized {event.target}" if event.target else "Materialized"
            return what + _metadata_text(data.get("metadata", {}))
        case EventType.ASSET_CHECK_EVALUATION:
            return evaluation_text(data) + _metadata_text(data.get("metadata", {}))
        case EventType.STEP_SUCCESS:
            return "Succeeded."
        case EventType.STEP_RESTARTED:
            return f"Started again: attempt {data.get('attempt')}."
        case EventType.STEP_SKIPPED:
            return f"Skipped: upstream {data.get('upstream')} {data.get('why', 'failed')}."
        case EventType.STEP_UNCHANGED:
            return f"Did not run: {data.get('reason')}."
        case EventType.STEP_CANCELED:
            return "Canceled."
        case EventType.RUN_START:
            return "The run started."
        case EventType.RUN_SUCCESS:
            return "The run succeeded."
        case EventType.RUN_FAILURE:
            return "The run failed."
        case EventType.RUN_CANCELED:
            return "The run was canceled."
        case _:
            return event.type.value


def evaluation_text(data: Mapping[str, Any]) -> str:
    """What a check found, in a word or two, with its description."""
    word = "Passed" if data["passed"] else "Failed"
    if not data["passed"] and data.get("severity") == "WARN":
        word = "Failed as a warning"
    return f"{word} ({data['description']})" if data.get("description") else word


def _loaded_text(data: dict[str, Any]) -> str:
    count, upstream = data.get("partitions"), data.get("upstream")
    if count is None:
        return f"Loaded {upstream}."
    return f"Loaded {count:,} partition{'s' * (count != 1)} of {upstream}."


def warning_text(event: Event) -> str:
    """The message of a warning as it reads after the run: one about waiting is in the past."""
    text = event.message or ""
    if "waits_for" not in event.data:
        return text
    return text.replace("waiting for", "waited for", 1).replace(", which is ", ", which was ", 1)


def event_json(event: Event) -> dict[str, Any]:
    return {
        "type": event.type.value,
        "timestamp": event.timestamp.isoformat(),
        "step": event.step,
        "target": event.target,
        "level": event.level,
        "message": event_text(event),
        "data": event.data,
    }


def _output_text(data: dict[str, Any]) -> str:
    return description_of(StoredValue(str(data.get("format")), path=data.get("path")))


def _metadata_text(metadata: dict[str, Any]) -> str:
    shown = metadata_text(metadata)
    return f": {shown}." if shown else "."


def metadata_text(metadata: Mapping[str, Any]) -> str:
    """Metadata as recorded, in short, without `warning`, which the asset shows."""
    shown = [f"{name} {_short(value)}" for name, value in metadata.items() if name != "warning"]
    return ", ".join(shown)


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"type", "value"}:
        if value["type"] == "table":
            return f"table of {len(value['value'])} rows"
        value = value["value"]
    return shorten(" ".join(str(value).split()), _VALUE_CELLS)
