"""An exception as it is recorded: the user's own frames, with the lines as they were."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from assetgraph.code.tracebacks import error_info, short_traceback


def caught(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def script(folder: Path, text: str) -> Callable[[], object]:
    file = folder / "script.py"
    file.write_text(text)
    return lambda: runpy.run_path(str(file))


def test_frames_of_the_project_are_preferred(tmp_path: Path) -> None:
    text = "import json\ndef load():\n    return json.loads('{')\nload()\n"
    error = caught(script(tmp_path, text))
    info = error_info(error, str(tmp_path))
    assert [(frame.file, frame.line) for frame in info.frames] == [
        ("script.py", 4),
        ("script.py", 3),
    ]
    assert info.type == "json.decoder.JSONDecodeError"
    assert "decoder.py" in info.trace
    elsewhere = error_info(error, str(tmp_path / "other"))
    assert elsewhere.frames[-1].file.endswith("decoder.py")


def test_a_frame_shows_up_to_two_lines_on_each_side(tmp_path: Path) -> None:
    text = "one = 1\ntwo = 2\nraise ValueError\nfour = 4\n"
    (frame,) = error_info(caught(script(tmp_path, text)), str(tmp_path)).frames
    assert frame.source == ("one = 1", "two = 2", "raise ValueError", "four = 4")
    assert (frame.source_start, frame.line, frame.function) == (1, 3, "<module>")


def test_an_edited_file_is_shown_as_it_is_at_the_next_failure(tmp_path: Path) -> None:
    first = error_info(caught(script(tmp_path, "raise ValueError('one')\n")), str(tmp_path))
    second = error_info(caught(script(tmp_path, "raise ValueError('second')\n")), str(tmp_path))
    assert first.frames[0].source == ("raise ValueError('one')",)
    assert second.frames[0].source == ("raise ValueError('second')",)


def test_a_file_that_is_shorter_by_now_is_no_obstacle(tmp_path: Path) -> None:
    error = caught(script(tmp_path, "\n" * 5 + "raise ValueError('long')\n"))
    (tmp_path / "script.py").write_text("short\n" * 4)
    assert error_info(error, str(tmp_path)).frames[0].line == 6
    assert "ValueError: long" in short_traceback(error, str(tmp_path))


def test_a_short_traceback_is_the_users_lines_and_the_error(tmp_path: Path) -> None:
    error = caught(script(tmp_path, "def f():\n    raise ValueError('no')\nf()\n"))
    assert short_traceback(error, str(tmp_path)) == (
        '  File "script.py", line 3, in <module>\n'
        "    f()\n"
        '  File "script.py", line 2, in f\n'
        "    raise ValueError('no')\n"
        "ValueError: no"
    )


def test_a_long_line_and_a_long_message_are_cut(tmp_path: Path) -> None:
    error = caught(script(tmp_path, f"raise ValueError('{'x' * 20_000}')\n"))
    info = error_info(error, str(tmp_path))
    assert len(info.frames[0].source[0]) == 500
    assert info.message == "x" * 10_000 + " …"


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_a_builtin_error_has_its_bare_name(kind: type[BaseException], tmp_path: Path) -> None:
    assert error_info(kind("x"), str(tmp_path)).type == kind.__name__


READERS = {
    "open": "open('data/in.csv')",
    "pathlib": "Path('data/in.csv').read_text()",
    "pandas csv": "pd.read_csv('data/in.csv')",
    "pandas parquet": "pd.read_parquet('data/in.csv')",
    "numpy": "np.loadtxt('data/in.csv')",
    "polars": "pl.read_csv('data/in.csv')",
    "polars lazy": "pl.scan_parquet('data/in.csv').collect()",
    "pyarrow": "csv.read_csv('data/in.csv')",
    "parquet": "parquet.read_table('data/in.csv')",
    "duckdb": "duckdb.sql(\"select * from read_csv('data/in.csv')\").fetchall()",
    "absolute": "open(Path('data/in.csv').absolute())",
}


@pytest.mark.parametrize("call", READERS.values(), ids=READERS)
def test_the_file_that_a_reader_did_not_find_is_recorded(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {name: pytest.importorskip(name) for name in ("numpy", "pandas", "polars", "duckdb")}
    given = {
        "np": names["numpy"], "pd": names["pandas"], "pl": names["polars"], **names,
        "csv": pytest.importorskip("pyarrow.csv"), "Path": Path,
        "parquet": pytest.importorskip("pyarrow.parquet"),
    }  # fmt: skip
    error = RuntimeError("no input")
    error.__cause__ = caught(lambda: eval(call, given))
    assert error_info(error, str(tmp_path)).absent == ("data/in.csv",)


def test_an_error_that_is_not_about_a_file_records_none(tmp_path: Path) -> None:
    assert error_info(ValueError("in.csv is empty"), str(tmp_path)).absent == ()
    assert error_info(FileNotFoundError(), str(tmp_path)).absent == ()
    assert error_info(KeyError("data/in.csv"), str(tmp_path)).absent == ()
