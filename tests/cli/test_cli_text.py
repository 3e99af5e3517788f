"""Text for a terminal: nothing in it that the terminal would obey, and columns that line up."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from assetgraph.cli.terminal import units
from assetgraph.cli.terminal.json_text import json_text
from assetgraph.cli.terminal.output import Output
from assetgraph.cli.terminal.styled_text import Line, clean, clean_lines, wrapped
from assetgraph.cli.terminal.table import Column, table

HOSTILE = "a\x1b[2Jb\x07c\x9bd\u202ee\u2028f\x7f"


def test_control_and_direction_marks_are_written_as_escapes() -> None:
    assert clean(HOSTILE) == r"a\x1b[2Jb\x07c\x9bd\u202ee\u2028f\x7f"


def test_colours_are_dropped_from_what_a_step_prints() -> None:
    assert clean("\x1b[1;31mred\x1b[0m") == "red"


@given(st.text())
def test_a_clean_text_is_one_line_without_anything_to_obey(text: str) -> None:
    joiners = {"\u200c", "\u200d"}
    assert all(
        c.isprintable() or c in joiners or c.isspace() or ord(c) >= 0xA0 for c in clean(text)
    )
    assert len(clean(text).splitlines()) <= 1


def test_a_line_that_was_written_over_shows_what_was_written_last() -> None:
    assert clean_lines("10%\r20%\r\nnext\n") == ["20%", "next"]


def test_a_line_cleans_every_piece() -> None:
    assert Line("a\nb", ("\x1b[2J", "muted")).plain == "a\\nb\\x1b[2J"


def test_a_line_is_cut_and_filled_by_cells_not_by_characters() -> None:
    line = Line(("택시_운행", "name"), "abc")
    assert line.width == cell_len("택시_운행abc") == 12
    assert line.cut(8).plain == "택시_운…"
    assert line.cut(8).spans == (("택시_운…", "name"),)
    assert line.fitted(14).plain == "택시_운행abc  "
    assert line.fitted(14, right=True).plain == "  택시_운행abc"


def test_a_line_is_broken_between_words_and_keeps_its_styles() -> None:
    line = Line(("Error: ", "error"), "no asset is named 'trps'")
    assert [part.plain for part in line.broken(18, indent=2)] == [
        "Error: no asset is", "  named 'trps'",
    ]  # fmt: skip
    assert line.broken(18, indent=2)[0].spans == (("Error: ", "error"), ("no asset is", ""))
    assert [part.plain.strip() for part in Line("  a 택시_운행_기록 b").broken(10)] == [
        "a", "택시_운행_기록", "b",
    ]  # fmt: skip
    assert line.broken(31) == line.broken(None) == [line]


def test_a_command_is_never_broken_so_that_it_can_be_copied() -> None:
    line = Line("Remove it with: ", ("assetgraph runs delete 20261128-092806", "command"))
    assert [part.plain for part in line.broken(30)] == [
        "Remove it with:", "assetgraph runs delete 20261128-092806",
    ]  # fmt: skip


def test_columns_line_up_under_wide_names() -> None:
    rows = [[Line("택시"), Line("1")], [Line("trips"), Line("22")]]
    lines = table((Column("ASSET"), Column("N", right=True)), rows, None)
    assert [line.plain for line in lines] == ["ASSET   N", "택시    1", "trips  22"]


def test_a_narrow_table_shrinks_its_last_column_then_leaves_columns_out() -> None:
    columns = (Column("ID"), Column("KIND", drop=1), Column("TEXT", least=6, drop=2))
    rows = [[Line("abc"), Line("wide"), Line("a longer text")]]

    def at(cells: int) -> str:
        return table(columns, rows, cells)[1].plain

    assert at(24) == "abc  wide  a longer text"
    assert at(18) == "abc  wide  a long…"
    assert at(12) == "abc  wide"
    assert at(5) == "abc"


def test_a_column_without_content_is_left_out() -> None:
    lines = table((Column("A"), Column("B")), [[Line("x"), Line()]], None)
    assert [line.plain for line in lines] == ["A", "x"]


def test_prose_is_broken_between_words() -> None:
    assert wrapped("one two three\n\nfour", 9) == ["one two", "three", "", "four"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0, "0s"), (4.12e-4, "412µs"), (0.0032, "3.2ms"), (0.032, "32ms"),
        (0.84, "0.84s"), (0.9996, "1.0s"), (12.44, "12.4s"), (59.97, "1m 00s"), (184, "3m 04s"),
        (3725, "1h 02m"), (183_600, "2d 03h"),
    ],
)  # fmt: skip
def test_a_duration_has_two_or_three_digits(seconds: float | None, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (47_673_370, "47.7 MB"), (123_456, "123 kB"),
     (999_600, "1.0 MB"), (5e15, "5000 TB")],
)  # fmt: skip
def test_a_size_is_in_powers_of_1000(count: float, text: str) -> None:
    assert units.size(count) == text


def test_a_time_is_as_long_as_it_must_be(utc: None) -> None:
    now = datetime(2026, 11, 22, 16, 8, 37, tzinfo=UTC)
    ages = [timedelta(hours=1), timedelta(days=3), timedelta(days=400)]
    texts = [units.short_time(now - age, now) for age in ages]
    assert texts == ["15:08:37", "Nov 19 16:08", "2025-10-18"]


@given(st.recursive(st.text(st.characters(exclude_categories=["Cs"])), st.lists))
def test_json_is_lossless_and_holds_nothing_to_obey(data: object) -> None:
    import json

    text = json_text(data)
    assert json.loads(text) == data
    assert all(clean(line).replace("    ", "") == line.replace("\t", "").replace("    ", "")
               for line in text.split("\n"))  # fmt: skip


def test_json_keeps_names_in_any_script_readable() -> None:
    assert "택시_운행" in json_text({"key": "택시_운행"})
    assert json_text("\U000e0001") == '"\\udb40\\udc01"'


def test_into_a_pipe_goes_plain_text_only() -> None:
    stream = io.StringIO()
    Output(stream).write([Line(("red", "failure"), "  "), Line()])
    assert stream.getvalue() == "red\n\n"
