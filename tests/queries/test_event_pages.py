"""Pages of a run's log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assetgraph.errors import DamagedStoreError
from assetgraph.queries import event_pages
from assetgraph.queries.event_pages import EventFilter, EventPages
from assetgraph.records import Event, EventType, RunRecord, RunStatus
from assetgraph.storage.run_folders import RunLog
from assetgraph.storage.store import Store

START = datetime(2026, 11, 22, 16, 8, 37, tzinfo=UTC)
RUN = "20261122-160837-000-abcd"


@pytest.fixture
def log(store: Store) -> RunLog:
    store.prepare()
    return store.runs.start(RunRecord(RUN, RunStatus.STARTED, START))


def logged(number: int, level: str = "INFO", step: str = "trips") -> Event:
    at = START + timedelta(seconds=number)
    return Event(EventType.LOG, at, step, level, f"message {number}")


def messages(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [event["message"] for event in page["events"]]


def test_pages_follow_each_other_to_the_end(store: Store, log: RunLog) -> None:
    log.append([logged(n) for n in range(5)])
    pages = EventPages(store)

    first = pages.page(RUN, EventFilter(), limit=2)
    assert (messages(first), first["total"], first["next"]) == (["message 0", "message 1"], 5, 2)
    last = pages.page(RUN, EventFilter(), after=4, limit=2)
    assert (messages(last), last["next"]) == (["message 4"], None)
    assert pages.page(RUN, EventFilter(), after=99)["events"] == []


def test_a_log_that_grows_is_read_on(store: Store, log: RunLog) -> None:
    pages = EventPages(store)
    warnings = EventFilter(level="WARNING")
    assert pages.page(RUN, warnings)["total"] == 0

    for round_ in range(3):
        log.append([logged(2 * round_), logged(2 * round_ + 1, "WARNING")])
        assert pages.page(RUN, EventFilter())["total"] == 2 * round_ + 2
        assert pages.page(RUN, warnings)["total"] == round_ + 1


def test_a_long_log_is_read_in_parts(
    store: Store, log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pages, "_CHUNK", 64)
    monkeypatch.setattr(event_pages, "_BATCH", 3)
    log.append([logged(n, "ERROR" if n % 10 == 0 else "INFO") for n in range(50)])
    pages = EventPages(store)

    assert pages.page(RUN, EventFilter())["total"] == 50
    assert messages(pages.page(RUN, EventFilter(level="ERROR"), after=1, limit=2)) == [
        "message 10",
        "message 20",
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EventFilter(text="MESSAGE 3"), ["message 3"]),
        (EventFilter(text="fares"), ["message 2"]),
        (EventFilter(text="log"), ["message 0", "message 1", "message 2", "message 3"]),
        (EventFilter(level="WARNING"), ["message 1", "message 3"]),
        (EventFilter(level="ERROR"), ["message 3"]),
        (EventFilter(step="fares"), ["message 2"]),
        (EventFilter(type="STEP_START"), []),
        (EventFilter(text="message", level="ERROR", step="fares"), []),
    ],
)
def test_events_are_filtered_by_text_level_step_and_type(
    store: Store, log: RunLog, wanted: EventFilter, expected: list[str]
) -> None:
    log.append(
        [logged(0), logged(1, "WARNING"), logged(2, "DEBUG", step="fares"), logged(3, "ERROR")]
    )

    assert messages(EventPages(store).page(RUN, wanted)) == expected


def test_a_message_of_a_megabyte_is_cut_in_a_page_and_whole_by_itself(
    store: Store, log: RunLog
) -> None:
    log.append([Event(EventType.LOG, START, message="x" * 1_000_000)])
    pages = EventPages(store)

    [row] = pages.page(RUN, EventFilter())["events"]
    assert (len(row["message"]), row["cut"]) == (event_pages.LONGEST_MESSAGE, True)
    whole = pages.event(RUN, 0)
    assert whole is not None
    assert len(whole["message"]) == 1_000_000
    assert pages.event(RUN, 1) is None


def test_damage_names_the_file_and_the_line(store: Store, log: RunLog) -> None:
    log.append([logged(0)])
    with open(f"{log.folder}/events.jsonl", "ab") as file:
        file.write(b"{broken}\n")

    with pytest.raises(DamagedStoreError) as caught:
        EventPages(store).page(RUN, EventFilter())
    assert caught.value.line == 2


def test_a_line_without_its_end_is_not_there_yet(store: Store, log: RunLog) -> None:
    log.append([logged(0)])
    with open(f"{log.folder}/events.jsonl", "ab") as file:
        file.write(b'{"type":"LOG"')

    assert EventPages(store).page(RUN, EventFilter())["total"] == 1
