"""Filtered pages of a run's events. A page reads only as much of the log as it needs."""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from assetgraph.queries.event_text import event_json, event_text
from assetgraph.records import Event, decoder
from assetgraph.storage.atomic_files import damaged, store_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetgraph.storage.store import Store

_KEPT_LOGS = 8
_KEPT_FILTERS = 8
_CHUNK = 1 << 22
_BATCH = 2000
LONGEST_MESSAGE = 2000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to show: `text` is searched for in any case, `level` is the lowest shown."""

    text: str = ""
    level: str = ""
    step: str = ""
    type: str = ""

    def __bool__(self) -> bool:
        return bool(self.text or self.level or self.step or self.type)

    def takes(self, event: Event) -> bool:
        if self.step and event.step != self.step:
            return False
        if self.type and event.type.value != self.type:
            return False
        if self.level and _rank(event.level) < _rank(self.level):
            return False
        if not self.text:
            return True
        wanted = self.text.casefold()
        return wanted in f"{event.type.value} {event.step or ''} {event_text(event)}".casefold()


class EventPages:
    """Reads the events of runs; keeps an index of the lines of the last few logs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._logs: OrderedDict[str, _Log] = OrderedDict()
        self._lock = threading.Lock()

    def page(
        self, run_id: str, wanted: EventFilter, *, after: int = 0, limit: int = 200
    ) -> dict[str, Any]:
        """A page of the events that match `wanted`: `events`, `total` and `next`.

        The page has at most `limit` events and starts after the first `after` matches. `total`
        counts all matches, and `next` is the `after` of the next page, or None. An event's
        `number` is its place in the log.

        Raises `DamagedStoreError`.
        """
        with self._lock:
            log = self._log(run_id)
            log.read_on()
            numbers: Sequence[int] = log.matching(wanted) if wanted else range(len(log))
            shown = numbers[max(after, 0) : max(after, 0) + limit]
            events = [_row(number, event) for number, event in log.events(shown)]
        following = after + len(events)
        return {
            "events": events,
            "total": len(numbers),
            "next": following if following < len(numbers) else None,
        }

    def event(self, run_id: str, number: int) -> dict[str, Any] | None:
        """One event with its whole message and trace; None if there is no such event."""
        with self._lock:
            log = self._log(run_id)
            log.read_on()
            if not 0 <= number < len(log):
                return None
            _, event = log.events([number])[0]
        return {"number": number, **event_json(event)}

    def _log(self, run_id: str) -> _Log:
        log = self._logs.pop(run_id, None) or _Log(f"{self._store.runs.path(run_id)}/events.jsonl")
        self._logs[run_id] = log
        if len(self._logs) > _KEPT_LOGS:
            self._logs.popitem(last=False)
        return log


class _Log:
    """A log of JSON lines that may still grow.

    Keeps where each line begins, and the matches of the last few filters.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._starts = array("Q", [0])
        self._matches: OrderedDict[EventFilter, tuple[int, list[int]]] = OrderedDict()
        self._decode = decoder(Event).decode

    def __len__(self) -> int:
        return len(self._starts) - 1

    def read_on(self) -> None:
        """Index the lines that were appended since the last call."""
        at, size = self._starts[-1], _CHUNK
        while data := self._bytes(at, at + size):
            end = data.find(b"\n") + 1
            if not end:
                if len(data) < size:
                    return  # a line that is still being written
                size *= 2
                continue
            while end:
                self._starts.append(at + end)
                end = data.find(b"\n", end) + 1
            at, size = self._starts[-1], _CHUNK

    def events(self, numbers: Sequence[int]) -> list[tuple[int, Event]]:
        if isinstance(numbers, range) and numbers:
            start = self._starts[numbers[0]]
            data = self._bytes(start, self._starts[numbers[-1] + 1])
            lines = data.split(b"\n")
            return [(n, self._event(n, line)) for n, line in zip(numbers, lines, strict=False)]
        return [
            (n, self._event(n, self._bytes(self._starts[n], self._starts[n + 1]))) for n in numbers
        ]

    def matching(self, wanted: EventFilter) -> list[int]:
        seen, found = self._matches.pop(wanted, (0, []))
        for start in range(seen, len(self), _BATCH):
            batch = self.events(range(start, min(start + _BATCH, len(self))))
            found += [number for number, event in batch if wanted.takes(event)]
        self._matches[wanted] = len(self), found
        if len(self._matches) > _KEPT_FILTERS:
            self._matches.popitem(last=False)
        return found

    def _event(self, number: int, line: bytes) -> Event:
        try:
            event: Event = self._decode(line)
            return event
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise damaged(self._path, str(error), number + 1) from error

    def _bytes(self, start: int, end: int) -> bytes:
        try:
            with open(self._path, "rb") as file:
                file.seek(start)
                return file.read(end - start)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise store_error(error, "read", self._path) from error


def _row(number: int, event: Event) -> dict[str, Any]:
    """An event on a page: without its trace, and with a long message cut."""
    row = {"number": number, **event_json(event)}
    message, data = row["message"], dict(row["data"])
    row["cut"] = len(message) > LONGEST_MESSAGE
    row["message"] = message[:LONGEST_MESSAGE]
    if isinstance(data.get("error"), dict):
        data["error"] = {k: v for k, v in data["error"].items() if k in ("type", "message")}
    return {**row, "data": data}


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 1
