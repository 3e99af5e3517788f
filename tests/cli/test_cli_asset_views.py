"""The list of assets and the page of one, whole, at fixed widths."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

import assetgraph as dg
from assetgraph.cli.render.asset_list import asset_table, list_notes, nothing_note
from assetgraph.cli.render.asset_page import asset_page
from assetgraph.cli.render.lineage_lines import lineage
from assetgraph.cli.render.metadata_lines import metadata_lines
from assetgraph.cli.render.plan_lines import plan_lines
from assetgraph.cli.render.status_lines import status_table
from assetgraph.cli.terminal.styled_text import Line
from assetgraph.definitions.metadata import metadata_json
from assetgraph.keys import AssetKey, Target
from assetgraph.planning.plan import Cause, Plan, Step
from assetgraph.planning.reason_kinds import Reason, ReasonKind
from assetgraph.planning.request import RunRequest
from assetgraph.queries.asset_views import AssetDetails, AssetView
from assetgraph.records import AssetState, FailedAttempt, Materialization, StoredValue

pytestmark = pytest.mark.usefixtures("utc")

NOW = datetime(2026, 11, 22, 16, 8, 37, tzinfo=UTC)
WARNING = "the host cannot be reached. This is the embedded sample: made up, not data of the city."


@dg.asset(group_name="raw_files", kinds={"parquet"}, owners=["team:data"], tags={"tier": "1"})
def taxi_trips_file() -> None:
    """The raw parquet files for the taxi trips dataset. Sourced from the NYC Open Data portal."""


@dg.asset(group_name="분석", deps=["taxi_trips_file"])
def 택시_운행() -> None:
    """택시 운행 통계."""


def made(metadata: Mapping[str, Any]) -> Materialization:
    return Materialization(
        run_id="20261122-160837-482-4f2a",
        timestamp=NOW,
        value=StoredValue("path", path="data/raw/taxi_trips.parquet", size=47_673_370),
        data_version="85ec3b2e",
        config={"month": "2023-04"},
        metadata=metadata_json(metadata),
        duration_s=4.4,
    )


FILE = AssetView(
    taxi_trips_file.asset_spec,
    taxi_trips_file,
    (),
    AssetState.FRESH,
    (),
    made({"warning": WARNING, "rows": 3_403_766}),
    None,
)
STATISTICS = AssetView(
    택시_운행.asset_spec,
    택시_운행,
    ("taxi_trips_file",),
    AssetState.FAILED,
    (
        Reason(ReasonKind.NEVER_MATERIALIZED),
        Reason(ReasonKind.ATTEMPT_FAILED, {"run_id": "20261122-160837-482-4f2a", "error": "x"}),
    ),
    None,
    FailedAttempt("20261122-160837-482-4f2a", NOW, "ValueError: no good\x1b[2J\nmore"),
)


def text(lines: list[Line]) -> str:
    return "\n".join(line.plain.rstrip() for line in lines)


def test_the_list_of_assets_at_80_columns() -> None:
    assert (
        text(asset_table([FILE, STATISTICS], NOW, 80))
        == """\
ASSET            STATE           GROUP      KINDS    UPDATED   DESCRIPTION
taxi_trips_file  ✓ materialized  raw_files  parquet  16:08:37  The raw parquet…
택시_운행        ✕ failed        분석                          택시 운행 통계."""
    )


def test_the_list_of_assets_at_160_columns() -> None:
    assert (
        text(asset_table([FILE, STATISTICS], NOW, 160))
        == """\
ASSET            STATE           GROUP      KINDS    UPDATED   DESCRIPTION
taxi_trips_file  ✓ materialized  raw_files  parquet  16:08:37  The raw parquet files for the taxi trips dataset. Sourced from the NYC Open Data portal.
택시_운행        ✕ failed        분석                          택시 운행 통계."""
    )


def test_a_name_as_long_as_a_name_may_be_hides_no_state() -> None:
    @dg.asset(name="x" * 200)
    def long() -> None: ...

    view = AssetView(long.asset_spec, long, (), AssetState.MISSING, (), None, None)
    heading, *rows = text(asset_table([view, FILE], NOW, 80)).splitlines()
    assert "STATE" in heading
    assert ["never materialized" in row for row in rows] == [True, False]
    assert rows[1].split("  ")[0] == "taxi_trips_file"
    assert "✓ materialized" in rows[1]


def test_a_warning_is_broken_to_the_width_of_the_terminal() -> None:
    assert (
        text(list_notes([FILE, STATISTICS], 80))
        == """\
! taxi_trips_file: the host cannot be reached. This is the embedded sample: made
  up, not data of the city."""
    )


def test_a_project_without_assets_says_how_to_begin() -> None:
    assert asset_table([], NOW, 80) == []
    assert text(nothing_note(())) == (
        "No assets yet. To add a first one: assetgraph scaffold asset NAME.py"
    )


def test_the_page_of_an_asset_at_80_columns() -> None:
    page = text(asset_page(AssetDetails(FILE, ("taxi_trips",), {"month": "str = '2023-03'"}), 80))
    assert (
        page
        == f"""\
taxi_trips_file  ✓ materialized
! the host cannot be reached. This is the embedded sample: made up, not data of
  the city.

  The raw parquet files for the taxi trips dataset. Sourced from the NYC Open
  Data portal.

  Group       raw_files
  Kinds       parquet
  Owners      team:data
  Tags        tier=1
  Defined at  {taxi_trips_file.place}
  Downstream  taxi_trips
  Config      month: str = '2023-03'

Last materialization
  When          2026-11-22 16:08:37  run 20261122-160837-482-4f2a
  Took          4.4s
  Value         data/raw/taxi_trips.parquet  47.7 MB
  Data version  85ec3b2e
  Config        month=2023-04

Metadata
  rows  3,403,766"""
    )


def test_the_page_of_a_failed_asset_says_what_failed() -> None:
    page = text(asset_page(AssetDetails(STATISTICS, (), {}), 160))
    assert page.startswith(
        "택시_운행  ✕ failed\n  its last attempt failed (run 20261122-160837-482-4f2a)\n"
    )
    assert page.endswith("  Error  ValueError: no good\\x1b[2J")


def test_the_page_of_an_asset_shows_its_last_attempts() -> None:
    assert FILE.materialization
    assert STATISTICS.failure
    history = (FILE.materialization, STATISTICS.failure)
    page = text(asset_page(AssetDetails(FILE, (), {}, history), 80))
    assert (
        page.partition("History\n")[2]
        == """\
  WHEN                 RUN                       TIME  OUTCOME
  2026-11-22 16:08:37  20261122-160837-482-4f2a  4.4s  ✓ data 85ec3b2e
  2026-11-22 16:08:37  20261122-160837-482-4f2a     –  ✕ ValueError: no good\\x1…"""
    )


def test_metadata_shows_each_kind_as_it_is_meant() -> None:
    metadata = metadata_json(
        {
            "rows": 5000,
            "share": 0.25,
            "url": dg.MetadataValue.url("https://example.org"),
            "made": dg.MetadataValue.timestamp(NOW),
            "shape": [1, 2],
            "preview": dg.MetadataValue.md("# Trips\n\n| a |"),
            "columns": dg.MetadataValue.table(
                [
                    {"name": "택시", "type": "int64"},
                    {"name": "fare", "type": "double", "null": True},
                ]
            ),
        }
    )
    assert (
        text(metadata_lines(metadata, 80))
        == """\
  rows     5,000
  share    0.25
  url      https://example.org
  made     2026-11-22 16:08:37
  shape    [1,2]
  preview
    # Trips

    | a |
  columns
    name  type    null
    택시  int64
    fare  double  True"""
    )


def test_status_shows_every_reason_whole_on_a_terminal_and_in_one_line_into_a_pipe() -> None:
    code = Reason(ReasonKind.CODE_CHANGED, {"changes": ["`fares` in `taxi/fares.py` changed"]})
    data = Reason(ReasonKind.UPSTREAM_DATA, {"upstream": "zones", "old": "a" * 9, "new": "b" * 9})
    view = AssetView(
        taxi_trips_file.asset_spec, taxi_trips_file, (), AssetState.STALE, (code, data), None, None
    )
    assert (
        text(status_table([view], 60))
        == """\
ASSET            STATE    WHY
taxi_trips_file  ! stale  `fares` in `taxi/fares.py` changed
                          upstream zones has new data
                          (aaaaaaaa to bbbbbbbb)"""
    )
    assert text(status_table([view], None)).splitlines()[1] == (
        "taxi_trips_file  ! stale  `fares` in `taxi/fares.py` changed; "
        "upstream zones has new data (aaaaaaaa to bbbbbbbb)"
    )


def test_status_shows_the_error_of_a_failed_attempt_in_a_line_that_fits() -> None:
    assert (
        text(status_table([STATISTICS], 50))
        == """\
ASSET      STATE     WHY
택시_운행  ✕ failed  its last attempt failed (run
                     20261122-160837-482-4f2a)
                     ValueError: no good [2J"""
    )
    long = msgspec.structs.replace(STATISTICS.failure, error="ValueError: " + "far too long " * 50)
    view = msgspec.structs.replace(STATISTICS, failure=long)
    assert text(status_table([view], 50)).splitlines()[-1].endswith("ValueError: far too long far…")
    (line,) = text(status_table([view], None)).splitlines()[1:]
    assert "20261122-160837-482-4f2a); ValueError: far too long" in line
    assert line.endswith("…")


def test_a_description_is_plain_words_in_every_list_and_picture() -> None:
    @dg.asset
    def trips() -> None:
        """Trips of **all** taxis, see [the docs](https://x.y)."""

    view = AssetView(trips.asset_spec, trips, (), AssetState.MISSING, (), None, None)
    pictures = [text(lineage([view], [], form, 100)) for form in ("tree", "svg", "dot")]
    for shown in (text(asset_table([view], NOW, 120)), *pictures):
        assert "Trips of all taxis, see the docs." in shown
        assert "**" not in shown


def test_a_plan_shows_every_reason_whole_on_a_terminal_and_in_one_line_into_a_pipe() -> None:
    code = Reason(ReasonKind.CODE_CHANGED, {"changes": ["`fares` in `taxi/fares.py` changed"]})
    added = Reason(ReasonKind.UPSTREAM_ADDED, {"upstream": "zones"})
    outputs = (Target(AssetKey("taxi_trips_file")),)
    step = Step("taxi_trips_file", "", outputs, Cause.STALE, (code, added))
    assert (
        text(plan_lines(RunRequest(), Plan((step, step)), 52))
        == """\
   ASSET            CAUSE  WHY
1  taxi_trips_file  stale  `fares` in
                           `taxi/fares.py` changed
                           upstream zones was added
2  taxi_trips_file  stale  `fares` in
                           `taxi/fares.py` changed
                           upstream zones was added"""
    )
    assert text(plan_lines(RunRequest(), Plan((step,)), None)).splitlines()[1] == (
        "1  taxi_trips_file  stale  `fares` in `taxi/fares.py` changed; upstream zones was added"
    )


def test_the_page_of_an_asset_breaks_a_long_reason() -> None:
    changes = [f"`{name}` in `taxi/fares.py` changed" for name in ("fares", "tips", "tolls")]
    reason = Reason(ReasonKind.CODE_CHANGED, {"changes": changes})
    view = AssetView(
        taxi_trips_file.asset_spec, taxi_trips_file, (), AssetState.STALE, (reason,), None, None
    )
    page = text(asset_page(AssetDetails(view, (), {}), 60))
    assert "; `tolls` in `taxi/fares.py`\n  changed\n" in page
