"""What `show`, `reads`, `plan` and `status` say of what steps read without declaring it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from observing import observe, used

from assetgraph.records import ReadKind

PIPELINE = """
    import random
    from datetime import datetime
    from pathlib import Path

    import assetgraph as dg
    from observing import list_folder, read_file, read_variable


    @dg.asset
    def trips() -> str:
        return read_file("lookups/zones.csv") + read_variable("FACTOR") + list_folder("inbox")


    @dg.asset
    def report(trips: str) -> str:
        return f"{trips} of {datetime.now()}: {random.random()} {eval('1')}"


    @dg.asset
    def plain() -> int:
        return 1
    """
PLAIN_OFF = "@dg.asset(observe_reads=False)\ndef plain"
SECRET = "hunter2"


@pytest.fixture
def reading(project: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project whose first asset reads a file, a variable and a folder."""
    made = project({"pipeline.py": PIPELINE, "lookups/zones.csv": "a,b\n", "inbox/one.csv": ""})
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("FACTOR", SECRET)
    observe(monkeypatch)
    return Path(made.root)


def test_show_lists_what_the_step_read_and_how_it_is_compared(
    reading: Path, assetgraph: Callable[..., Any]
) -> None:
    assert "Observed reads" not in assetgraph("show", "trips").out
    assetgraph("materialize", "--all")
    page = assetgraph("show", "trips").out
    shown = page.partition("Observed reads\n")[2].split("\n\n")[0].splitlines()

    assert [line.split()[:2] for line in shown] == [
        ["READ", "NAME"],
        ["file", "lookups/zones.csv"],
        ["folder", "inbox"],
        ["variable", "FACTOR"],
    ]
    assert [line.rpartition("  ")[2] for line in shown[1:]] == [
        "by its content", "by the names in it", "by a salted digest"
    ]  # fmt: skip
    found = assetgraph("show", "trips", "--json").json["observed"]
    assert found["known"] is True
    assert [(one["kind"], one["compared"]) for one in found["reads"]] == [
        ("file", "by its content"),
        ("folder", "by the names in it"),
        ("variable", "by a salted digest"),
    ]
    assert found["reads"][0]["at"].startswith("20")
    assert "Observed reads" not in assetgraph("show", "plain").out
    assert assetgraph("show", "plain", "--json").json["observed"]["reads"] == []


def test_a_changed_file_is_named_by_plan_status_and_show(
    reading: Path, assetgraph: Callable[..., Any]
) -> None:
    assetgraph("materialize", "--all")
    (reading / "lookups/zones.csv").write_text("other")
    sentence = "`lookups/zones.csv`, which it read, changed"

    assert sentence in assetgraph("plan", "--stale").out
    assert sentence in assetgraph("status").out
    assert sentence in assetgraph("show", "trips").out
    assert "by its content; it differs now" in assetgraph("show", "trips").out
    [reason] = assetgraph("status", "trips", "--json").json[0]["reasons"]
    assert reason == {
        "kind": "read_changed", "text": sentence, "what": "file", "name": "lookups/zones.csv",
        "how": "changed", "why": "",
    }  # fmt: skip
    assert assetgraph("accept", "trips").out == "Accepted trips\n"
    assert assetgraph("status", "--exit-code").code == 0


def test_what_cannot_be_compared_is_said_with_what_to_do(
    reading: Path, assetgraph: Callable[..., Any]
) -> None:
    used(ReadKind.HOST, "api.example.com:443")
    used(ReadKind.PROGRAM, "git")
    used(ReadKind.ENVIRONMENT, "os.environ")
    assetgraph("materialize", "trips")
    page = " ".join(assetgraph("show", "trips").out.split())

    assert "host api.example.com:443 cannot be compared" in page
    assert "Declare it as an @observable_source_asset" in page
    assert "! What another program reads cannot be compared." in page
    assert "Read the variables that count by their names" in page


def test_reads_lists_by_asset_what_no_upstream_declares(
    reading: Path, assetgraph: Callable[..., Any]
) -> None:
    never = assetgraph("reads")
    assert "3 assets never ran, so what they read is not known." in never.err
    assetgraph("materialize", "--all")
    listed = assetgraph("reads")

    assert "trips\n" in listed.out
    assert "lookups/zones.csv" in listed.out
    assert "clock  datetime.now in report (pipeline.py:" in listed.out.replace(
        "datetime.datetime", "datetime"
    )
    assert "chance  random.random in report (pipeline.py:" in listed.out
    assert "not followed  " in listed.out
    assert "plain" not in listed.out
    found = {one["key"]: one for one in assetgraph("reads", "--json").json}
    assert set(found) == {"trips", "report", "plain"}
    assert found["report"]["chance"][0]["name"] == "random.random"
    assert found["plain"]["observed"] == {"reads": [], "known": True}
    assert "Nothing was observed that is not declared." in assetgraph("reads", "plain").err


def test_no_view_and_no_file_of_the_store_has_the_value_of_a_variable(
    reading: Path, assetgraph: Callable[..., Any]
) -> None:
    (reading / "pipeline.py").write_text(
        (reading / "pipeline.py").read_text().replace('+ read_variable("FACTOR") ', "")
        + "\n\n@dg.asset\ndef secret() -> None:\n    read_variable('FACTOR')\n"
    )
    assetgraph("materialize", "--all")
    said = [assetgraph(*words).out for words in (
        ("show", "secret"), ("show", "secret", "--json"), ("reads", "--json"), ("status", "--json"),
    )]  # fmt: skip
    written = [file.read_bytes() for file in (reading / ".assetgraph").rglob("*") if file.is_file()]

    assert "FACTOR" in said[0]
    assert not any(SECRET in text for text in said)
    assert not any(SECRET.encode() in data for data in written)


def test_reads_says_of_which_assets_nothing_is_observed(
    reading: Path, assetgraph: Callable[..., Any]
) -> None:
    pipeline = reading / "pipeline.py"
    text = pipeline.read_text().replace("@dg.asset\ndef plain", PLAIN_OFF)
    pipeline.write_text(text + "\n\n@dg.asset(observe_reads=False)\ndef off() -> str:\n"
                        "    return Path('lookups/zones.csv').read_text()\n")  # fmt: skip
    assetgraph("materialize", "--all")
    listed = assetgraph("reads", "plain", "off")

    assert listed.err.splitlines() == ["Not observed, by observe_reads: off, plain."]
    assert "not followed  line" in listed.out
    assert "`read_text` reads a file in off" in listed.out


def test_a_read_of_what_another_asset_made_is_marked_in_whole_phrases() -> None:
    from assetgraph.cli.render.read_lines import _remarks
    from assetgraph.queries.observed_views import ReadView

    loaded = ReadView("asset", "trips", "by its data version", made_by="trips")
    opened = ReadView("file", "out.csv", "by its content", made_by="export")
    assert list(_remarks(loaded))[1:] == ["it is not an upstream"]
    assert list(_remarks(opened))[1:] == ["made by export, not an upstream"]
