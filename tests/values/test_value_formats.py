"""The formats of values: each keeps the same contract, and a new one is a file and a line."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

import assetgraph
from assetgraph.definitions.computation import AssetSpec
from assetgraph.errors import NoValueError
from assetgraph.keys import AssetKey, Target
from assetgraph.queries.value_preview import preview
from assetgraph.records import StoredValue
from assetgraph.storage.formats import format_registry
from assetgraph.storage.formats.format_registry import (
    FORMATS,
    FormatEntry,
    description_of,
    location_of,
)
from assetgraph.storage.formats.preview_types import (
    FilePreview,
    NoPreview,
    TablePreview,
    TextPreview,
)
from assetgraph.storage.formats.value_format import Saved
from assetgraph.storage.store import Store
from assetgraph.storage.value_store import ValueStore

KEY = AssetKey("trips")
TARGET = Target(KEY)
PACKAGE = Path(assetgraph.__file__).parent

TOY_FORMAT = """
from assetgraph.records import StoredValue
from assetgraph.storage.formats.preview_types import TextPreview
from assetgraph.storage.formats.value_format import Saved, ValueFormat


class ToyFormat(ValueFormat):
    def save(self, folder, value, class_version):
        if not isinstance(value, complex):
            return None
        path = f"{folder}/value.toy"
        self.files.place.write(path, repr(value).encode())
        return Saved(StoredValue("toy", "complex", path, size=len(repr(value))), repr(value))

    def load(self, stored, annotation):
        self.files.checked_path(stored)
        return complex(self.files.place.read(stored.path).decode())

    def preview(self, stored, rows):
        return TextPreview(f"the number {self.load(stored, None)}")
"""


@pytest.fixture
def values(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


@pytest.fixture
def toy_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    (folder / "toy_format.py").write_text(TOY_FORMAT)
    monkeypatch.syspath_prepend(folder)
    entry = FormatEntry("toy_format:ToyFormat", ("toy",))
    monkeypatch.setattr(format_registry, "FORMATS", (entry, *FORMATS))
    return Store(folder / ".assetgraph", project_root=folder)


def test_a_new_format_is_one_file_and_one_line(toy_values: Store) -> None:
    values = toy_values.values
    saved = values.save(TARGET, "run", 1 + 2j)
    stored = saved.stored
    assert stored == StoredValue("toy", "complex", "trips/_/run/value.toy", size=6)
    assert saved.data_version == "(1+2j)"
    assert values.check(stored) == "intact"
    assert values.load(stored, complex) == 1 + 2j
    assert values.preview(stored) == TextPreview("the number (1+2j)")
    assert preview(toy_values, stored) == {"kind": "text", "text": "the number (1+2j)"}
    assert location_of(stored) == "storage"
    assert description_of(stored) == "Stored as toy at trips/_/run/value.toy."
    assert values.save(TARGET, "run", [1]).stored.format == "json"


def test_a_new_format_is_checked_by_the_size_of_its_file(toy_values: Store, folder: Path) -> None:
    values = toy_values.values
    stored = values.save(TARGET, "run", 1j).stored
    (file,) = folder.rglob("value.toy")
    file.write_bytes(b"1")
    assert values.check(stored) == "damaged"
    with pytest.raises(NoValueError, match=r"is damaged: it has 1 bytes, but 2 were written"):
        values.load(stored)
    file.unlink()
    assert values.check(stored) == "gone"
    with pytest.raises(NoValueError, match="is gone"):
        values.load(stored)


# A value in each format and place: the names it is recorded with, where it is, and what is said.
def examples(folder: Path) -> dict[str, tuple[Any, str, str, str]]:
    (folder / "trips.csv").write_text("a,b\n1,2\n")
    seconds = pa.table({"at": pa.array([1], pa.timestamp("s"))})
    return {
        "text": ("x", "text", "record", "Stored as text in its record."),
        "long text": ("x" * 5000, "text", "storage", "Stored as text at trips/_/run/value.txt."),
        "bytes": (b"x", "bytes", "record", "Stored as bytes in its record."),
        "JSON": ({"a": [1]}, "json", "record", "Stored as json in its record."),
        "None": (None, "none", "nowhere", "Returned nothing to store."),
        "a path": (Path("trips.csv"), "path", "project", "Returned the path trips.csv."),
        "Parquet": (
            pa.table({"a": [1]}),
            "parquet",
            "storage",
            "Stored as parquet at trips/_/run/value.parquet.",
        ),
        "Arrow": (seconds, "arrow", "storage", "Stored as arrow at trips/_/run/value.arrow."),
        "an array": (
            np.array([1, 2]),
            "npy",
            "storage",
            "Stored as npy at trips/_/run/value.npy.",
        ),
        "a pickle": ((1, 2), "pickle", "storage", "Stored as pickle at trips/_/run/value.pickle."),
    }


NAMES = [
    "text", "long text", "bytes", "JSON", "None", "a path", "Parquet", "Arrow", "an array", "a pickle"
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_a_format_stores_is_intact_and_loads_in_another_store(
    values: ValueStore, folder: Path, name: str
) -> None:
    value, recorded, location, description = examples(folder)[name]
    stored = values.save(TARGET, "run", value).stored
    stored = msgspec.json.decode(msgspec.json.encode(stored), type=StoredValue)
    assert stored.format == recorded
    assert location_of(stored) == location
    assert description_of(stored) == description
    other = ValueStore("values", folder)
    assert other.check(stored) == "intact"
    with contextlib.chdir(folder):
        assert np.all(other.load(stored) == value)


@pytest.mark.parametrize("name", NAMES)
def test_a_format_leaves_a_value_of_another_format_alone(
    values: ValueStore, folder: Path, name: str
) -> None:
    """A store has loaded only the formats it needed, whichever value comes first."""
    rest = examples(folder)
    first, recorded, _, _ = rest.pop(name)
    assert values.save(TARGET, "run", first).stored.format == recorded
    for value, other, _, _ in rest.values():
        assert values.save(TARGET, "run", value).stored.format == other


def test_every_value_is_previewed_as_plain_data(values: ValueStore, folder: Path) -> None:
    shown = {
        name: values.preview(values.save(TARGET, name, value).stored, rows=1)
        for name, (value, *_) in examples(folder).items()
    }
    assert shown["text"] == TextPreview("x")
    assert shown["JSON"] == TextPreview('{\n  "a": [\n    1\n  ]\n}')
    assert shown["Parquet"] == TablePreview([("a", "int64")], [[1]], more=False)
    assert shown["an array"] == TextPreview("int64 of shape (2,)\n\n[1]")
    assert shown["a path"] == FilePreview(str(folder / "trips.csv"))
    assert shown["None"] == NoPreview("The asset returned None.")
    assert shown["a pickle"] == NoPreview(
        "The value is a pickled tuple. Showing it would run its code. "
        "To see it, load it in Python with assetgraph.load(…)."
    )
    assert values.preview(StoredValue("custom", "int")) == NoPreview(
        "An IO manager of the project stores the value."
    )


def test_a_preview_has_as_many_rows_as_asked_for(values: ValueStore) -> None:
    stored = values.save(TARGET, "run", pa.table({"a": [1, 2, 3]})).stored
    assert values.preview(stored, rows=2) == TablePreview([("a", "int64")], [[1], [2]], more=True)
    assert values.preview(stored, rows=3) == TablePreview(
        [("a", "int64")], [[1], [2], [3]], more=False
    )


def test_a_value_too_large_to_show_is_not_loaded(values: ValueStore, folder: Path) -> None:
    stored = values.save(TARGET, "run", "x" * (1 << 21)).stored
    (folder / "values" / str(stored.path)).unlink()
    assert values.preview(stored) == NoPreview(
        "The value is too large to show here: 2,097,152 bytes."
    )


def test_a_format_of_a_later_version_is_named(values: ValueStore) -> None:
    stored = StoredValue("zarr", "Array", "trips/_/run/value.zarr", size=3)
    assert values.check(stored) == "gone"
    assert location_of(stored) == "storage"
    assert isinstance(values.preview(stored), NoPreview)
    with pytest.raises(NoValueError, match=r"'zarr', a format that this version.*Upgrade"):
        values.load(stored)


@pytest.mark.parametrize("name", ["text", "json", "bytes", "parquet", "arrow", "pickle"])
def test_a_record_without_its_value_is_an_error(values: ValueStore, name: str) -> None:
    with pytest.raises(NoValueError, match=r"neither the value nor its path.*Materialize"):
        values.load(StoredValue(name, "x"))


def test_a_value_is_loaded_by_the_io_manager_that_stored_it(values: ValueStore) -> None:
    class Remembering(assetgraph.IOManager):
        def handle_output(self, context: Any, obj: Any) -> None:
            raise AssertionError

        def load_input(self, context: assetgraph.InputContext) -> Any:
            return (context.asset_key, context.run_id, context.annotation)

    maker = AssetSpec(key=KEY, io_manager=Remembering())
    saved = Saved.by_io_manager(5, "run-1")
    assert saved.stored.by_io_manager
    assert saved.data_version == "run-1"
    found = values.load_output(saved.stored, int, run_id="run-1", maker=maker)
    assert found == (KEY, "run-1", int)
    with pytest.raises(NoValueError, match="needs the IO manager"):
        values.load_output(saved.stored, int, run_id="run-1", maker=None)
    ours = values.save(TARGET, "run-1", 5).stored  # from before the asset got its IO manager
    assert values.load_output(ours, int, run_id="run-1", maker=maker) == 5


def test_only_the_formats_know_their_names() -> None:
    """No other module compares a recorded format with a name."""
    names = {name for entry in FORMATS for name in entry.names}
    comparing = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "formats" not in path.parts
        for line in _format_comparisons(path, names)
    ]
    assert comparing == []


def _format_comparisons(path: Path, names: set[str]) -> Iterator[int]:
    """The lines where `….format` is compared with a name, or matched against one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            about, found = node.left, [node]
        elif isinstance(node, ast.Match):
            about, found = node.subject, [case.pattern for case in node.cases]
        else:
            continue
        constants = {
            inner.value
            for part in found
            for inner in ast.walk(part)
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
        }
        if isinstance(about, ast.Attribute) and about.attr == "format" and constants & names:
            yield node.lineno
