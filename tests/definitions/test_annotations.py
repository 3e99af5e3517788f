"""Annotations against values and against each other: only certain contradictions count."""

from __future__ import annotations

import subprocess
import sys
import typing
from collections import OrderedDict, abc
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Protocol, TypedDict, TypeVar, Union

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest

from assetgraph import MaterializeResult
from assetgraph.definitions.annotations import (
    EMPTY,
    contradiction,
    described,
    edge_contradiction,
    table_kind,
)

T = TypeVar("T")
Zone = NewType("Zone", int)


class Sized(Protocol):
    def size(self) -> int: ...


class Row(TypedDict):
    id: int


class Frame(pd.DataFrame):
    pass


class Odd(type):
    def __instancecheck__(cls, instance: object) -> bool:
        raise TypeError("ask me not")

    def __subclasscheck__(cls, subclass: type) -> bool:
        raise TypeError("ask me not")


class Unhelpful(metaclass=Odd):
    def __repr__(self) -> str:
        raise ValueError("no words")


def numbers() -> typing.Iterator[int]:
    yield 1


TABLE = pa.table({"a": [1]})

FITTING: list[tuple[object, Any]] = [
    (2, EMPTY),
    (2, Any),
    (2, object),
    (2, int),
    (2, float),
    (2, complex),
    (True, int),
    (None, None),
    (None, Optional[int]),  # noqa: UP045
    (2, Union[str, int]),  # noqa: UP007
    (2, str | int),
    (2, Annotated[int, "a note"]),
    (2, Zone),
    (2, T),
    (2, Sized),
    (2, Literal[1, 2]),
    (2, "int"),
    (2, "int | None"),
    (None, "Optional[pa.Table]"),
    (2, "SomethingUnknown"),
    (2, "some.module.Thing"),
    (2, "not an annotation ("),
    (2, typing.ForwardRef("int")),
    (2, MaterializeResult),
    (2, MaterializeResult | str),
    (2, Unhelpful),
    ([1], list[str]),
    ({"id": 1}, Row),
    ({"a": 1}, abc.Mapping[str, int]),
    (OrderedDict(), dict),
    ((1, 2), tuple[int, ...]),
    (int, type[int]),
    (len, abc.Callable[..., int]),
    (Path("x"), Path),
    (np.float64(1), float),
    (np.int64(1), int),
    (np.int64(1), float),
    (np.bool_(True), bool),
    (numbers(), abc.Iterator[int]),
    (iter([TABLE]), abc.Iterator[pa.Table]),
    (TABLE.to_reader(), abc.Iterator[pa.RecordBatch]),
    (iter([TABLE]), "Iterator[pa.RecordBatch]"),
    (TABLE, pa.Table),
    (TABLE, "pa.Table"),
    (TABLE, "pyarrow.Table | None"),
    (pd.DataFrame(), "pd.DataFrame"),
    (Frame(), "pd.DataFrame"),
    (pl.DataFrame(), "pl.DataFrame"),
    (pa.dataset.dataset(TABLE), "ds.Dataset"),
]


@pytest.mark.parametrize(("value", "annotation"), FITTING)
def test_a_value_that_may_be_what_is_annotated_does_not_contradict(
    value: object, annotation: Any
) -> None:
    assert contradiction(value, annotation) is None


CONTRADICTING: list[tuple[object, Any, str]] = [
    (5, None, "is annotated `-> None` but returned an int: 5"),
    (2, str, "is annotated `-> str` but returned an int: 2"),
    (None, int, "is annotated `-> int` but returned None"),
    ("x", int | None, "is annotated `-> int | None` but returned a str: 'x'"),
    (1.5, int, "is annotated `-> int` but returned a float: 1.5"),
    ({}, list[int], "is annotated `-> list[int]` but returned a dict: {}"),
    ([], Row, "is annotated `-> test_annotations.Row` but returned a list: []"),
    (3, Literal[1, 2], "is annotated `-> Literal[1, 2]` but returned an int: 3"),
    (True, Literal[1], "is annotated `-> Literal[1]` but returned a bool: True"),
    ("x", Zone, "but returned a str: 'x'"),
    ("x", Annotated[int, "a note"], "but returned a str: 'x'"),
    (np.float64(1.5), int, "but returned a numpy.float64"),
    (np.array([1]), int, "but returned a numpy.ndarray"),
    ([1], abc.Iterator[int], "is annotated `-> Iterator[int]` but returned a list: [1]"),
    (2, "str", "is annotated `-> str` but returned an int: 2"),
    (2, "pa.Table", "is annotated `-> pa.Table` but returned an int: 2"),
    (2, "list[int] | None", "is annotated `-> list[int] | None` but returned an int: 2"),
    (TABLE, "pd.DataFrame", "is annotated `-> pd.DataFrame` but returned a pyarrow.Table"),
    (pd.DataFrame(), pa.Table, "is annotated `-> pyarrow.Table` but returned a pandas"),
    (pd.DataFrame(), "pl.DataFrame", "but returned a pandas"),
    (TABLE, str, "is annotated `-> str` but returned a pyarrow.Table"),
    (Path("x"), str, "but returned a pathlib.PosixPath: PosixPath('x')"),
    ("x" * 99, int, "is annotated `-> int` but returned a str: 'xxx"),
    (Unhelpful(), int, "is annotated `-> int` but returned a test_annotations.Unhelpful"),
]


@pytest.mark.parametrize(("value", "annotation", "expected"), CONTRADICTING)
def test_a_contradiction_names_the_annotation_and_the_value(
    value: object, annotation: Any, expected: str
) -> None:
    assert expected in str(contradiction(value, annotation))


EVERY_TABLE: list[Any] = [
    pa.Table,
    pa.RecordBatch,
    pa.RecordBatchReader,
    pa.dataset.Dataset,
    abc.Iterator[pa.RecordBatch],
    pd.DataFrame,
    pl.DataFrame,
    pl.LazyFrame,
    "pa.Table",
    "pd.DataFrame",
    "pl.LazyFrame",
    "pyarrow.dataset.Dataset",
    "Iterator[pa.RecordBatch]",
    "duckdb.DuckDBPyRelation",
]


@pytest.mark.parametrize("wanted", EVERY_TABLE, ids=str)
def test_every_kind_of_table_reaches_every_other(wanted: Any) -> None:
    for returns in EVERY_TABLE:
        assert edge_contradiction(returns, wanted) is None


REACHING: list[tuple[Any, Any]] = [
    (EMPTY, int),
    (int, EMPTY),
    (int, Any),
    (object, int),
    (int, float),
    (bool, int),
    (int | None, int),
    (None, int | None),
    (None, Any),
    (list[int], abc.Sequence[int]),
    (abc.Sequence[int], list[int]),
    (dict, Row),
    (Literal["a"], str),
    (str, Literal["a"]),
    (Zone, int),
    (T, int),
    (int, Sized),
    (MaterializeResult, int),
    ("Unknown", int),
    ("int", int),
    (Path, Path),
    (Frame, pd.DataFrame),
    (abc.Iterator, pa.Table),
    (abc.Generator, "pd.DataFrame"),
    (abc.Generator[pd.DataFrame, None, None], pl.DataFrame),
    ("Generator[pa.RecordBatch, None, None]", pa.Table),
    ("Union[pa.Table, None]", "Optional[pl.DataFrame]"),
    ("Annotated[pa.Table, 'x']", pa.Table),
    (pa.Table, abc.Iterable),
    ("pa.Table", Sized),
    (Unhelpful, int),
]


@pytest.mark.parametrize(("returns", "wanted"), REACHING, ids=str)
def test_what_may_reach_a_parameter_does_not_contradict(returns: Any, wanted: Any) -> None:
    assert edge_contradiction(returns, wanted) is None


@pytest.mark.parametrize(
    ("returns", "wanted", "expected"),
    [
        (None, int, "annotated `int`, but its upstream is annotated `-> None`"),
        (str, int, "annotated `int`, but its upstream is annotated `-> str`"),
        (float, int, "annotated `int`, but its upstream is annotated `-> float`"),
        (int | None, str, "annotated `str`, but its upstream is annotated `-> int | None`"),
        (Path, str, "annotated `str`, but its upstream is annotated `-> pathlib.Path`"),
        (Path, pa.Table, "annotated `pyarrow.Table`, but its upstream"),
        (pa.Table, int, "annotated `int`, but its upstream is annotated `-> pyarrow.Table`"),
        ("pa.Table", int, "annotated `int`, but its upstream is annotated `-> pa.Table`"),
        (int, "pd.DataFrame", "annotated `pd.DataFrame`, but its upstream is annotated `-> int`"),
        (None, "pd.DataFrame", "but its upstream is annotated `-> None`"),
        (Literal["a"], int, "annotated `int`, but its upstream is annotated `-> Literal['a']`"),
        (list[int], dict[str, int], "annotated `dict[str, int]`, but its upstream"),
        (abc.Iterator[int], pa.Table, "is annotated `-> Iterator[int]`"),
    ],
    ids=str,
)
def test_what_cannot_reach_a_parameter_is_named_on_both_sides(
    returns: Any, wanted: Any, expected: str
) -> None:
    assert expected in str(edge_contradiction(returns, wanted))


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (pa.Table, "table"),
        (pl.LazyFrame | None, "polars-lazy"),
        ("pandas.core.frame.DataFrame", "pandas"),
        ("polars.dataframe.frame.DataFrame", "polars"),
        ("pa.Table | pd.DataFrame", None),
        ("list[pa.Table]", None),
        (abc.Iterator[int], None),
        (Frame, None),
        (int, None),
        (EMPTY, None),
        ("DataFrame", None),
    ],
    ids=str,
)
def test_the_kind_of_table_that_is_asked_for(annotation: Any, kind: str | None) -> None:
    assert table_kind(annotation) == kind


def test_a_value_is_described_briefly() -> None:
    assert described("x") == "a str: 'x'"
    assert described([0] * 1000) == "a list: [0, 0, 0, 0, 0, 0, ...]"
    assert described("a\nb") == r"a str: 'a\nb'"
    assert len(described("x" * 10**6)) < 80
    assert described(TABLE) == "a pyarrow.Table"


def test_nothing_is_imported_to_compare() -> None:
    code = (
        "import sys; from assetgraph.definitions.annotations import *;"
        "edge_contradiction('pa.Table', 'pd.DataFrame'); contradiction(1, 'pl.LazyFrame');"
        "print([m for m in ('pyarrow', 'pandas', 'polars', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


# Shaped as the classes of pandera are: a schema in brackets, and a base of the frame's own library.
SCHEMA = TypeVar("SCHEMA")


class DataFrame(pd.DataFrame, typing.Generic[SCHEMA]):
    __module__ = "pandera.typing.pandas"


class Series(pd.Series, typing.Generic[SCHEMA]):  # type: ignore[type-arg]
    __module__ = "pandera.typing.pandas"


class LazyFrame(pl.LazyFrame, typing.Generic[SCHEMA]):
    __module__ = "pandera.typing.polars"


class Fares(pl.DataFrame, typing.Generic[SCHEMA]):
    """A frame with a schema, of another library than pandera."""


class Trips:
    """A schema."""


@pytest.mark.parametrize(
    ("annotation", "value", "kind"),
    [
        (DataFrame[Trips], pd.DataFrame(), "pandas"),
        (DataFrame, pd.DataFrame(), "pandas"),
        (DataFrame[Trips] | None, pd.DataFrame(), "pandas"),
        (LazyFrame[Trips], pl.LazyFrame(), "polars-lazy"),
        (Fares[Trips], pl.DataFrame(), "polars"),
        (Series[int], pd.Series([1]), None),
    ],
)
def test_a_schema_in_brackets_is_followed_by_a_plain_frame_too(
    annotation: Any, value: Any, kind: str | None
) -> None:
    assert contradiction(value, annotation) is None
    assert contradiction(5, annotation) is not None
    assert table_kind(annotation) == kind
    assert edge_contradiction(annotation, int) is not None
    assert edge_contradiction(type(value), annotation) is None


def test_a_class_of_frames_without_a_schema_is_that_class() -> None:
    class Located(pd.DataFrame):
        pass

    assert contradiction(pd.DataFrame(), Located) is not None
    assert contradiction(Located(), pd.DataFrame) is None


@pytest.mark.parametrize("text", ["DataFrame[Trips]", "pt.DataFrame[Trips]", "pa.DataFrame[Trips]"])
def test_the_text_of_a_schema_in_brackets_allows_everything(text: str) -> None:
    assert contradiction(pd.DataFrame(), text) is None
