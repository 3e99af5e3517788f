"""`Reason`, one reason why a target is not up to date, and the sentence for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from assetgraph.text import listed

_MOST_RANGES = 4


class ReasonKind(StrEnum):
    NEVER_MATERIALIZED = "never_materialized"
    VALUE_GONE = "value_gone"
    VALUE_DAMAGED = "value_damaged"
    VALUE_UNREADABLE = "value_unreadable"
    FILE_CHANGED = "file_changed"
    CODE_CHANGED = "code_changed"
    CONFIG_CHANGED = "config_changed"
    RESOURCE_CHANGED = "resource_changed"
    READ_CHANGED = "read_changed"
    READS_LOST = "reads_lost"
    UPSTREAM_DATA = "upstream_data"
    UPSTREAM_ADDED = "upstream_added"
    UPSTREAM_REMOVED = "upstream_removed"
    ATTEMPT_FAILED = "attempt_failed"
    UPSTREAM_STALE = "upstream_stale"
    OTHER_PARTITIONS = "other_partitions"
    MAPPING_FAILED = "mapping_failed"
    PARTITIONS = "partitions"
    TOO_MANY_PARTITIONS = "too_many_partitions"
    MADE_TOGETHER = "made_together"
    HISTORY_DAMAGED = "history_damaged"
    HISTORY_MISSING = "history_missing"
    PAST_FAILURE = "past_failure"
    SOURCE_MISSING = "source_missing"
    SOURCE_UNREADABLE = "source_unreadable"
    NEVER_CHECKED = "never_checked"
    VALUE_UNCHECKED = "value_unchecked"
    HELD = "held"


class Reason(msgspec.Struct, frozen=True):
    """One reason why a target is not up to date.

    Facts by kind: `code_changed` has `changes` (sentences); `upstream_data` has `upstream`, `old`
    and `new` (data versions); the other `upstream_*` have `upstream`, and `upstream_stale` also its
    `state`, and of several partitions their ranges as `partitions`, how many are `stale`, and how
    many are `read`; `made_together` has `asset` and its `state`; `attempt_failed` has `run_id` and
    `error`, and `value_run_id` if an older value is there; `config_changed` has `old` and `new`;
    `resource_changed` has `resource`, `what` of it differs ("type", "code" or "field …"), `old` and
    `new`;
    `value_*`, `file_changed`, `history_missing` and `source_missing` have `path`; `history_damaged`
    and `source_unreadable` have `error`; `read_changed` has what the step read without declaring
    it, as `what` and `name`, `how` that differs now, and `why` it cannot be read.

    `upstream_data` of several partitions has the ranges of those with new data as `partitions`,
    their number as `changed`, and the number that is `read`; `other_partitions` has `upstream`,
    what is read `now` and was read `before`, each as the number of partitions, the first and the
    last, and how many were `added` and `removed`, if that is known. `mapping_failed` has `error`.
    `partitions` stands for several partitions of an asset: see `partition_states.py`.

    Of a check, `value_unchecked` has the `upstream` that it has not looked at as it is now. `held`
    has the `check` that failed, the `run_id` in which it did, and whether its function `raised`.

    A `past_failure` is no such reason: `past_failure` returns it, to be shown beside the state.
    """

    kind: ReasonKind
    facts: dict[str, Any] = {}

    @property
    def text(self) -> str:
        return _TEXTS[self.kind](self.facts)

    @property
    def of_many(self) -> str:
        """The text for several partitions at once: without what is another for each of them."""
        facts = {name: value for name, value in self.facts.items() if name not in _OF_ONE}
        facts.pop("partitions", None)
        upstream = facts.get("upstream")
        if upstream:
            facts["upstream"] = upstream.partition("@")[0]
        if self.kind is ReasonKind.UPSTREAM_DATA:
            return f"upstream {facts['upstream']} has new data"
        if self.kind is ReasonKind.OTHER_PARTITIONS:
            return f"they read other partitions of {facts['upstream']}"
        if self.kind is ReasonKind.ATTEMPT_FAILED:
            return "their last attempt failed"
        facts = {name: "" for name in self.facts if name in _OF_ONE} | facts
        return _TEXTS[self.kind](facts)


_OF_ONE = ("path", "value_run_id")  # what is another for each partition


def _place_text(path: str) -> str:
    """Where a value with a path is; one in its record, or of an IO manager, has none."""
    return f": {path}" if path else ""


def _kept_text(facts: Mapping[str, Any]) -> str:
    """Which value stays in use after a failed attempt."""
    made_by = facts.get("value_run_id")
    if made_by is None:
        return ""
    kept = "that it gave before" if made_by == facts["run_id"] else f"of run {made_by}"
    return f", and the value {kept} stays in use"


def _code_text(facts: Mapping[str, Any]) -> str:
    changes: Sequence[str] = facts["changes"]
    more = f" (and {len(changes) - 3} more)" if len(changes) > 3 else ""
    return "; ".join(changes[:3]) + more if changes else "its code changed"


def _state_text(state: str) -> str:
    return state if state == "failed" else f"is {state}"


def _versions_text(old: str, new: str) -> str:
    """The first 8 characters of each version, or both in full if those are equal."""
    if not old or not new:
        return f"{new[:8]}; its version was unknown" if new else "its version is unknown now"
    size = 8 if old[:8] != new[:8] else None
    return f"{old[:size]} to {new[:size]}"


def _data_text(facts: Mapping[str, Any]) -> str:
    """What is new of an upstream: a version, or several partitions."""
    if "partitions" not in facts:
        versions = _versions_text(facts["old"], facts["new"])
        return f"upstream {facts['upstream']} has new data ({versions})"
    if not facts["changed"]:
        return f"upstream {facts['upstream']} has new data"
    which = f"{facts['changed']} of {facts['read']} partitions"
    shown = some_ranges(facts["partitions"])
    return f"upstream {facts['upstream']} has new data in {which}: {shown}"


def _group_text(facts: Mapping[str, Any]) -> str:
    """Several partitions of an asset that are in one state for the same reasons."""
    which = f"{facts['count']} of {facts['of']} partitions {facts['state']}"
    return f"{which}, {some_ranges(facts['partitions'])}: {'; '.join(facts['why'])}"


def _too_many_text(facts: Mapping[str, Any]) -> str:
    """An asset with more partitions than are looked at together."""
    made = f"{facts['made']:,}" if facts["made"] else "none"
    return (
        f"{facts['text']}: {made} of them {'has' if facts['made'] == 1 else 'have'} a value. "
        "Name the partitions to see their states"
    )


def _upstream_text(facts: Mapping[str, Any]) -> str:
    state = _state_text(facts["state"])
    if "partitions" not in facts:
        return f"upstream {facts['upstream']} {state}"
    which = f"{facts['stale']} of {facts['read']} partitions"
    shown = some_ranges(facts["partitions"])
    return f"upstream {facts['upstream']} {state} in {which}: {shown}"


def _other_partitions_text(facts: Mapping[str, Any]) -> str:
    text = f"it reads other partitions of {facts['upstream']}"
    if "added" not in facts:
        if None in (*facts["now"], *facts["before"]):
            text = f"it reads {facts['upstream']} otherwise"
        return f"{text}: {_ends_text(*facts['now'])} instead of {_ends_text(*facts['before'])}"
    signs = {"+": facts["added"], "−": facts["removed"]}
    return f"{text}: {', '.join(f'{sign}{count}' for sign, count in signs.items() if count)}"


def _ends_text(count: int, first: str | None = "", last: str | None = "") -> str:
    if first is None:
        return "its one value"
    if count < 2:
        return first or "none"
    return f"{first}..{last} ({count})"


def some_ranges(ranges: Sequence[str], count: int | None = None) -> str:
    """Ranges of partitions as text; of many, the first few. `count` says how many there are, if
    only some are given."""
    more = (len(ranges) if count is None else count) - _MOST_RANGES
    return ", ".join(ranges[:_MOST_RANGES]) + (f" and {more} more" if more > 0 else "")


def _config_text(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} from {old.get(name)!r} to {new.get(name)!r}" for name in names)


def _resource_text(resource: str, what: str, old: Any, new: Any) -> str:
    if what == "code":
        return f"the class of resource {resource!r}, {new}, changed"
    if what == "type":
        return f"resource {resource!r} is of another class ({old}, now {new})"
    return f"resource {resource!r} has another {what.removeprefix('field ')} ({old!r}, now {new!r})"


def read_text(what: str, name: str, how: str, why: str = "") -> str:
    """How something differs now that a step read without declaring it."""
    if how == "unreadable":
        return f"`{name}`, which it read, cannot be read now: {why}"
    if what == "variable":
        return f"the environment variable `{name}`, which it read, {_NOW[what, how]}"
    if what == "files":  # of a folder
        return f"files in `{name}`, which it read, {'are gone' if how == 'gone' else 'changed'}"
    verb = "looked for" if how == "appeared" else _VERBS[what]
    return f"`{name}`, which it {verb}, {_NOW.get((what, how)) or _NOW['file', how]}"


def since_text(what: str, name: str, how: str) -> str:
    """What has happened since a step failed that read something without declaring it."""
    shown = f"{_BEFORE_NAMES.get(what, '')}`{name}`"
    return f"before {shown} {_SINCE.get((what, how)) or _SINCE['file', how]}"


_BEFORE_NAMES = {"variable": "the environment variable ", "files": "files in "}
_VERBS = {
    "file": "read",
    "existence": "looked for",
    "status": "looked at",
    "folder": "listed",
    "pattern": "listed",
    "asset": "loaded",
}
_NOW = {
    ("file", "changed"): "changed",
    ("file", "gone"): "is gone",
    ("file", "appeared"): "is there now",
    ("folder", "changed"): "has other files",
    ("pattern", "changed"): "has other files",
    ("pattern", "gone"): "has no files now",
    ("pattern", "appeared"): "has files now",
    ("variable", "changed"): "changed",
    ("variable", "gone"): "is no longer set",
    ("variable", "appeared"): "is set now",
    ("asset", "gone"): "has no value now",
    ("asset", "appeared"): "has a value now",
}
_SINCE = {
    ("file", "changed"): "changed",
    ("file", "gone"): "was gone",
    ("file", "appeared"): "was there",
    ("files", "gone"): "were gone",
    ("variable", "gone"): "was unset",
    ("variable", "appeared"): "was set",
    ("asset", "gone"): "lost its value",
    ("asset", "appeared"): "had a value",
}

_TEXTS: Mapping[ReasonKind, Callable[[Mapping[str, Any]], str]] = {
    ReasonKind.NEVER_MATERIALIZED: lambda _: "never materialized",
    ReasonKind.VALUE_GONE: lambda f: f"its value is gone{_place_text(f['path'])}",
    ReasonKind.VALUE_DAMAGED: lambda f: f"its value is damaged{_place_text(f['path'])}",
    ReasonKind.VALUE_UNREADABLE: lambda f: (
        f"its value needs a class that no longer exists: {f['path']}"
        if f["path"]
        else "its value needs the IO manager that stored it"
    ),
    ReasonKind.FILE_CHANGED: lambda f: (
        f"its {'file' if f['path'] else 'value'} was changed from outside{_place_text(f['path'])}"
    ),
    ReasonKind.CODE_CHANGED: _code_text,
    ReasonKind.CONFIG_CHANGED: lambda f: f"its config changed: {_config_text(f['old'], f['new'])}",
    ReasonKind.RESOURCE_CHANGED: lambda f: _resource_text(**f),
    ReasonKind.READ_CHANGED: lambda f: read_text(**f),
    ReasonKind.READS_LOST: lambda _: "what it read is not known any more: the store lost it",
    ReasonKind.UPSTREAM_DATA: lambda f: _data_text(f),
    ReasonKind.OTHER_PARTITIONS: lambda f: _other_partitions_text(f),
    ReasonKind.PARTITIONS: lambda f: _group_text(f),
    ReasonKind.TOO_MANY_PARTITIONS: lambda f: _too_many_text(f),
    ReasonKind.MAPPING_FAILED: lambda f: f"what it reads is not known: {f['error']}",
    ReasonKind.UPSTREAM_ADDED: lambda f: f"upstream {f['upstream']} was added",
    ReasonKind.UPSTREAM_REMOVED: lambda f: f"upstream {f['upstream']} was removed",
    ReasonKind.MADE_TOGETHER: lambda f: (
        f"it is materialized together with {f['asset']}, which {_state_text(f['state'])}"
    ),
    ReasonKind.ATTEMPT_FAILED: lambda f: (
        f"its last attempt failed (run {f['run_id']})" + _kept_text(f)
    ),
    ReasonKind.PAST_FAILURE: lambda f: (
        f"its last attempt failed {listed(f['changes'])} (run {f['run_id']})"
    ),
    ReasonKind.HISTORY_DAMAGED: lambda f: f"its history cannot be read: {f['error']}",
    ReasonKind.HISTORY_MISSING: lambda f: (
        f"its history is missing, though it has values: {f['path']}"
    ),
    ReasonKind.SOURCE_MISSING: lambda f: f"its data is not there{_place_text(f['path'])}",
    ReasonKind.SOURCE_UNREADABLE: lambda f: f"its data cannot be read: {f['error']}",
    ReasonKind.UPSTREAM_STALE: lambda f: _upstream_text(f),
    ReasonKind.NEVER_CHECKED: lambda _: "it has no result yet",
    ReasonKind.VALUE_UNCHECKED: lambda f: (
        f"it has not looked at the current value of {f['upstream']}"
    ),
    ReasonKind.HELD: lambda f: (
        f"held by the check {f['check']}, which "
        f"{'raised an error' if f.get('raised') else 'failed'} (run {f['run_id']})"
    ),
}
