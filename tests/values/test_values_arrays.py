"""Arrays of numpy come back exactly, and memory-mapped where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assetgraph.errors import NoValueError, ValueTypeError
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.formats.preview_types import TextPreview
from assetgraph.storage.value_store import ValueStore

TARGET = Target(AssetKey("weights"))
TYPES = [
    "?",
    "i1",
    "i2",
    "i4",
    "i8",
    "u1",
    "u2",
    "u4",
    "u8",
    "f2",
    "f4",
    "f8",
    "g",
    "F",
    "D",
    "G",
    ">i4",
    ">f8",
    "S3",
    "S0",
    "U3",
    ">U3",
    "V5",
    "M8",
    "M8[s]",
    "M8[ns]",
    ">M8[us]",
    "M8[25s]",
    "m8",
    "m8[D]",
]


class Weights(np.ndarray):  # type: ignore[type-arg]
    pass


def structured(**options: Any) -> NDArray[Any]:
    return np.zeros(3, np.dtype({"names": ["a", "b"], "formats": ["i4", "i2"], **options}))


STORED: dict[str, NDArray[Any]] = {
    **{name: np.zeros((2, 3), name) for name in TYPES},
    "no dimension": np.array(5),
    "no rows": np.zeros((0, 3)),
    "no columns": np.zeros((3, 0), "i2"),
    "order of Fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "transposed": np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
    "every second": np.arange(10)[::2],
    "backwards": np.arange(10)[::-1],
    "broadcast": np.broadcast_to(np.arange(3), (4, 3)),
    "NaN and minus zero": np.array([np.nan, -0.0, np.inf]),
    "fields": np.array([(1, (0.5, 1.5), "x")], [("a", "i4"), ("é", "f8", (2,)), ("s", "U2")]),
    "fields within": np.zeros(3, [("a", [("b", "i4"), ("c", ">M8[s]")])]),
    "fields with titles": np.zeros(3, [(("title", "a"), "i4")]),
    "fields with a gap": structured(offsets=[0, 8], itemsize=16),
    "no fields": np.zeros(3, []),
    "many fields": np.zeros(1, [(f"field_number_{number}", "i4") for number in range(3000)]),
}
PICKLED: dict[str, Any] = {
    "objects": np.array([1, "a", None], object),
    "objects in a field": np.array([(1, "a")], [("a", "i4"), ("b", "O")]),
    "text of any length": np.array(["a", "bb"], np.dtypes.StringDType()),
    "aligned fields": np.zeros(3, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "overlapping fields": structured(offsets=[0, 0]),
    "fields in another order": structured(offsets=[8, 0]),
    "metadata": np.zeros(3, np.dtype("i4", metadata={"unit": "km"})),
    "metadata of a field": np.zeros(3, [("a", np.dtype("i4", metadata={"unit": "km"}))]),
    "masked": np.ma.array([1, 2], mask=[False, True]),
    "records": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "a class of the project": np.zeros(3).view(Weights),
}


@pytest.fixture
def values(folder: Path) -> ValueStore:
    return ValueStore("values", folder)


@pytest.mark.parametrize("array", STORED.values(), ids=STORED.keys())
def test_an_array_is_stored_as_npy_and_comes_back_exactly(
    values: ValueStore, array: NDArray[Any]
) -> None:
    stored = values.save(TARGET, "run", array).stored
    assert (stored.format, values.check(stored, deep=True)) == ("npy", "intact")
    for annotation in (np.ndarray, NDArray[np.float64], "np.ndarray"):
        assert_same(values.load(stored, annotation), array)
    for annotation in (np.memmap, np.memmap | None, "np.memmap"):
        mapped = values.load(stored, annotation)
        assert type(mapped) is np.memmap
        assert_same(mapped.view(np.ndarray), array)


@pytest.mark.parametrize("within", ["a record", "a record in a record", "an array in a record"])
def test_what_lies_between_the_fields_of_a_record_is_no_part_of_its_value(
    values: ValueStore, within: str
) -> None:
    gaps = np.dtype({"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 8]})
    dtype = {
        "a record": gaps,
        "a record in a record": np.dtype([("r", gaps)]),
        "an array in a record": np.dtype([("r", gaps, (2, 2))]),
    }[within]
    zeros, noise = (np.full(10 * dtype.itemsize, byte, "u1").view(dtype) for byte in (0, 255))
    noise[...] = zeros
    assert zeros.tobytes() != noise.tobytes()
    first, second = (values.save(TARGET, run, one) for run, one in (("1", zeros), ("2", noise)))
    assert first.data_version == second.data_version
    for annotation in (np.ndarray, np.memmap):
        assert_same(np.asarray(values.load(second.stored, annotation)), zeros)


@pytest.mark.parametrize("value", PICKLED.values(), ids=PICKLED.keys())
def test_what_npy_would_change_is_pickled(values: ValueStore, value: Any) -> None:
    stored = values.save(TARGET, "run", value).stored
    assert stored.format == "pickle"
    loaded: Any = values.load(stored)
    assert type(loaded) is type(value)
    assert repr(loaded) == repr(value)
    assert loaded.dtype.metadata == value.dtype.metadata


def test_a_matrix_is_no_plain_array(values: ValueStore) -> None:
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1, 2]])
    loaded = values.load(values.save(TARGET, "run", matrix).stored)
    assert type(loaded) is np.matrix


def test_a_mapped_array_is_mapped_again_and_no_assignment_reaches_the_store(
    values: ValueStore, folder: Path
) -> None:
    mapped = np.memmap(folder / "weights.bin", "f8", "w+", shape=(2, 3))
    mapped[:] = 1.5
    stored = values.save(TARGET, "run", mapped).stored
    for annotation in (None, np.memmap):
        loaded: Any = values.load(stored) if annotation is None else values.load(stored, annotation)
        assert type(loaded) is np.memmap
        loaded[0, 0] = 7
        assert values.check(stored, deep=True) == "intact"
    assert type(values.load(stored, np.ndarray)) is np.ndarray
    assert_same(np.asarray(values.load(stored)), np.full((2, 3), 1.5))


def test_an_array_in_an_object_store_is_read_but_not_mapped(
    object_store: str, folder: Path
) -> None:
    values = ValueStore(f"{object_store}/{folder.name}", folder)
    array = np.arange(6).reshape(2, 3)
    stored = values.save(TARGET, "run", array).stored
    assert_same(values.load(stored), array)
    with pytest.raises(ValueTypeError, match=r"cannot be memory-mapped.*np\.ndarray"):
        values.load(stored, np.memmap)


def test_the_content_the_type_and_the_order_of_an_array_count_in_its_version(
    values: ValueStore,
) -> None:
    square = np.arange(4).reshape(2, 2)
    others = [
        square,
        square.T,
        square.astype("i4"),
        square.reshape(4),
        square + 1,
        square.view("u8"),
    ]
    versions = [values.save(TARGET, "run", one).data_version for one in others]
    assert len(set(versions)) == len(others)
    assert values.save(TARGET, "other", square.copy()).data_version == versions[0]
    strided = np.arange(8).reshape(2, 4)[:, ::2] // 2 + np.array([[0], [0]])
    assert values.save(TARGET, "run", strided).data_version == versions[0]


def test_a_file_that_is_no_array_cannot_be_read(values: ValueStore, folder: Path) -> None:
    stored = values.save(TARGET, "run", np.arange(3)).stored
    old = type(stored)(stored.format, stored.type, stored.path, size=stored.size)  # no checksum
    (file,) = folder.rglob("value.npy")
    file.write_bytes(b"x" * (stored.size or 0))
    for annotation in (np.ndarray, np.memmap):
        with pytest.raises(NoValueError, match=r"cannot be read.*Materialize"):
            values.load(old, annotation)


def assert_same(found: Any, array: NDArray[Any]) -> None:
    assert type(found) is np.ndarray
    assert found.dtype == array.dtype
    assert repr(found.dtype) == repr(array.dtype)
    assert found.shape == array.shape
    assert found.tobytes() == array.tobytes()
    if array.flags.forc:
        assert found.flags.f_contiguous == array.flags.f_contiguous


SCALARS = [
    *(np.zeros((), name)[()] for name in TYPES if name not in ("S3", "S0", "U3", ">U3", "V5", "M8")),
    *(np.ones((), name)[()] for name in ("?", "i8", "u1", "f2", "g", "D")),
    np.float64("nan"), -np.float64(0), np.datetime64("NaT"), np.datetime64("2024-01-31"),
    np.timedelta64(5, "25s"), np.str_("a"),
    np.bytes_(b"a"), np.void(b"abc"), structured()[0],
]  # fmt: skip


@pytest.mark.parametrize("value", SCALARS, ids=lambda value: type(value).__name__)
def test_a_number_or_date_of_numpy_comes_back_exactly(values: ValueStore, value: Any) -> None:
    stored = values.save(TARGET, "run", value).stored
    back: Any = values.load(stored)
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert back.tobytes() == value.tobytes()
    assert str(back) == str(value)


def test_a_number_of_numpy_is_shown_and_is_not_an_array(values: ValueStore) -> None:
    saved = values.save(TARGET, "run", np.float64(337.2))
    assert (saved.stored.format, saved.stored.type) == ("npy", "numpy.float64")
    assert values.preview(saved.stored) == TextPreview("337.2")
    assert values.load(saved.stored, float) == 337.2
    for wrong in (np.ndarray, np.memmap, int, str):
        with pytest.raises(ValueTypeError, match=r"Ask for numpy\.float64"):
            values.load(saved.stored, wrong)
    versions = {
        values.save(TARGET, f"run {n}", one).data_version
        for n, one in enumerate([np.float64(1), np.array(1.0), np.float32(1), np.int64(1)])
    }
    assert len(versions) == 4
    assert saved.data_version == values.save(TARGET, "again", np.float64(337.2)).data_version


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"x" * 200])
def test_a_number_in_a_damaged_file_is_refused(values: ValueStore, damage: bytes) -> None:
    stored = values.save(TARGET, "run", np.float64(1)).stored
    Path(values.root, str(stored.path)).write_bytes(damage)
    with pytest.raises(NoValueError, match="Materialize its asset again"):
        values.load(stored)
