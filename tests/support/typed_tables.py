"""A column of every type of Arrow, pandas, polars and DuckDB, for tests of what a store gives back."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

BIG = 2**60 + 1  # a float rounds it
ZONES = (None, "Asia/Seoul", "UTC", "+01:00")


def _arrow() -> dict[str, pa.Array]:
    integers = [
        pa.array([low, high, 1], kind())
        for bits in (8, 16, 32, 64)
        for kind, low, high in (
            (getattr(pa, f"int{bits}"), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1),
            (getattr(pa, f"uint{bits}"), 0, 2**bits - 1),
        )
    ]
    floats = [pa.array(np.array([1.5, -0.0, np.inf], f"f{size}")) for size in (2, 4, 8)]
    texts = [pa.array(["", "é\0", "a" * 20], f"{kind}") for kind in ("string", "large_string")]
    binaries = [pa.array([b"", b"\xff\0", b"a" * 20], kind) for kind in ("binary", "large_binary")]
    views = [
        pa.array(["", "é", "a" * 20], pa.string_view()),
        pa.array([b"", b"\0", b"a" * 20], pa.binary_view()),
    ]
    decimals = [
        pa.array([Decimal("1.50"), Decimal("-2.25"), Decimal("0.00")], kind)
        for kind in (
            *(
                getattr(pa, f"decimal{bits}")(5, 2)
                for bits in (32, 64)
                if hasattr(pa, f"decimal{bits}")
            ),
            pa.decimal128(38, 2),
            pa.decimal256(70, 2),
        )
    ]
    times = [
        *(
            pa.array([date(1, 1, 1), date(9999, 12, 31), None], kind)
            for kind in (pa.date32(), pa.date64())
        ),
        *(pa.array([1, 2, 3], pa.time32(unit)) for unit in ("s", "ms")),
        *(pa.array([1000, 2000, 0], pa.time64(unit)) for unit in ("us", "ns")),
        *(
            pa.array([1, -1, 1_000_001], pa.timestamp(unit, zone))
            for unit in ("s", "ms", "us", "ns")
            for zone in ZONES
        ),
        *(pa.array([1000, -1000, 0], pa.duration(unit)) for unit in ("s", "ms", "us", "ns")),
        pa.array([(1, 2, 3000), (0, 0, -5000), None], pa.month_day_nano_interval()),
    ]
    codes = pa.array([0, 1, 0], pa.int8())
    categories = [
        *(
            pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], index), ["a", "b", "unused"])
            for index in (pa.int8(), pa.uint8(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64())
        ),
        pa.DictionaryArray.from_arrays(codes, ["b", "a"], ordered=True),
        *(
            pa.DictionaryArray.from_arrays(codes, values)
            for values in (
                pa.array([BIG, 5]),
                pa.array([b"b", b"c"]),
                pa.array([Decimal("1.50"), Decimal("2.25")]),
                pa.array([1, 2], pa.timestamp("us", "Asia/Seoul")),
                pa.array([1, 2], pa.timestamp("s")),
            )
        ),
    ]
    nested = [
        pa.array([[1, None, BIG], [], [5]], kind)
        for kind in (pa.list_(pa.int64()), pa.large_list(pa.int64()))
    ]
    nested += [
        pa.array([[[1, None, BIG], None], [], [[5]]], pa.list_(pa.list_(pa.int64()))),
        pa.array([[1, None], [BIG, 2], [3, 4]], pa.list_(pa.int64(), 2)),
        pa.array([{"x": BIG, "y": None}, {"x": None, "y": "b"}, {"x": 1, "y": ""}]),
        pa.array([{"x": [BIG, None]}, {"x": []}, {"x": None}]),
        pa.array([[{"x": BIG}, {"x": None}, None], [], []]),
        pa.array([[("a", BIG), ("b", None)], [], [("c", 1)]], pa.map_("string", "int64")),
        pa.array([[(1, [BIG, None])], [], []], pa.map_("int64", pa.list_(pa.int64()))),
        pa.array([[BIG, None], [], [5]], pa.list_view(pa.int64())),
        pa.array([[1, 2], [], [5]], pa.large_list_view(pa.int64())),
    ]
    rare = [
        pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"]),
        pa.UnionArray.from_dense(
            codes, pa.array([0, 0, 1], pa.int32()), [pa.array([1, 2]), pa.array(["a"])]
        ),
        pa.UnionArray.from_sparse(codes, [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]),
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.int64(), (2,)),
            pa.array([[1, 2], [3, BIG], [5, 6]], pa.list_(pa.int64(), 2)),
        ),
        *_extensions(),
    ]
    flat = [
        pa.array([True, False, True]),
        pa.nulls(3),
        pa.array([b"ab", b"\0\xff", b"\0\0"], pa.binary(2)),
        pa.array([b"", b"", b""], pa.binary(0)),
    ]
    made = [
        *flat,
        *integers,
        *floats,
        *texts,
        *binaries,
        *views,
        *decimals,
        *times,
        *categories,
        *nested,
        *rare,
    ]
    return {str(array.type): array for array in made}


def _extensions() -> list[pa.Array]:
    """Extension types that early releases of pyarrow lack."""
    made = []
    if hasattr(pa, "uuid"):
        made.append(
            pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16)] * 3, pa.binary(16)))
        )
    if hasattr(pa, "json_"):
        made.append(pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', "1", "null"])))
    if hasattr(pa, "bool8"):
        made.append(pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, 1], pa.int8())))
    if hasattr(pa, "opaque"):
        made.append(
            pa.ExtensionArray.from_storage(pa.opaque(pa.int64(), "t", "v"), pa.array([1, 2, BIG]))
        )
    return made


def variants(array: pa.Array) -> dict[str, pa.ChunkedArray]:
    """The column whole, beside nulls, of nulls alone, without rows, and in two chunks."""
    made = {
        "whole": pa.chunked_array([array]),
        "no rows": pa.chunked_array([array.slice(0, 0)]),
        "two chunks": pa.chunked_array([array.slice(0, 1), array.slice(1)]),
    }
    if not pa.types.is_union(array.type):
        made["nulls alone"] = pa.chunked_array([pa.nulls(2, array.type)])
        if not pa.types.is_dictionary(array.type):
            made["beside nulls"] = pa.chunked_array([array, pa.nulls(1, array.type)])
    return made


ARROW = _arrow()

_DAYS = np.array(["1970-01-02", "1969-01-01", "NaT"], "M8[us]")
_PANDAS_NAMES = [
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    "bool",
]
_NULLABLE_NAMES = [
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float32",
    "Float64",
    "boolean",
]


def _pandas() -> dict[str, Any]:
    made: dict[str, Any] = {name: np.array([1, 0, 1], name) for name in _PANDAS_NAMES}
    made |= {name: pd.array([1, None, 1], dtype=name) for name in _NULLABLE_NAMES}
    made |= {
        name: pd.array(["a", None, ""], dtype=name)
        for name in ("string[python]", "string[pyarrow]")
    }
    made["str"] = pd.Series(["a", None, ""]).array
    made["BIG"] = np.array([BIG, -(2**63), 5])
    made["BIG, nullable"] = pd.array([BIG, None, 5], dtype="Int64")
    made["floats"] = np.array([1.5, np.nan, -0.0])
    made["big-endian"] = np.array([1, 2, 3], ">i4")
    for unit in ("s", "ms", "us", "ns"):
        made[f"datetime64[{unit}]"] = _DAYS.astype(f"M8[{unit}]")
        made[f"timedelta64[{unit}]"] = np.array([1, -1, "NaT"], f"m8[{unit}]")
        for zone in ZONES[1:]:
            made[f"datetime64[{unit}, {zone}]"] = _zoned(_DAYS.astype(f"M8[{unit}]"), zone)
    made["UTC of datetime"] = _zoned(_DAYS, UTC)
    made["UTC of zoneinfo"] = _zoned(_DAYS, ZoneInfo("UTC"))
    made["an odd offset"] = _zoned(_DAYS, timezone(timedelta(seconds=3601)))
    made["far"] = np.array(["20000-01-02", "-1969-01-01", "NaT"], "M8[s]")
    for freq in ("D", "M", "Y", "h", "W-SUN"):
        made[f"period[{freq}]"] = pd.PeriodIndex(
            ["2023-03-01", "2023-04-02", "NaT"], freq=freq
        ).array
    for closed in ("left", "right", "both", "neither"):
        made[f"interval {closed}"] = pd.arrays.IntervalArray.from_breaks(
            [0, 1, 2, 3], closed=closed
        )
    zoned = pd.date_range("2023", periods=4, tz="Asia/Seoul")
    made["interval of times"] = pd.IntervalIndex.from_breaks(zoned).array
    made["sparse"] = pd.arrays.SparseArray([0, 0, 1])
    for name, array in _OF_ARROW.items():
        made[f"{name}[pyarrow]"] = pd.arrays.ArrowExtensionArray(array)
    for name, items in _OBJECTS.items():
        made[f"object: {name}"] = _objects(items)
    return made


def _zoned(days: Any, zone: Any) -> Any:
    return pd.DatetimeIndex(days).tz_localize(zone).array


def _objects(items: list[Any]) -> Any:
    made = np.empty(len(items), object)
    for number, item in enumerate(items):
        made[number] = item
    return made


_OF_ARROW = {
    "int64": pa.array([1, None, BIG]),
    "string": pa.array(["a", None, ""]),
    "list": pa.array([[1], None, [BIG, None]]),
    "struct": pa.array([{"a": 1}, None, {"a": None}]),
    "decimal": pa.array([Decimal("1.50"), None, Decimal("2.00")]),
    "date": pa.array([date(2023, 1, 1), None, date(1, 1, 1)]),
    "time": pa.array([1000, None, 2000], pa.time64("ns")),
    "timestamp": pa.array([1, None, 2], pa.timestamp("ns", "Asia/Seoul")),
    "duration": pa.array([1, None, 2], pa.duration("s")),
    "binary": pa.array([b"a", None, b""]),
    "bool": pa.array([True, None, False]),
    "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
    "map": pa.array([[("a", 1)], None, []], pa.map_("string", "int64")),
}
_OBJECTS: dict[str, list[Any]] = {
    "text": ["a", None, "b"],
    "half a character": ["\ud800", None, "a"],
    "decimals": [Decimal("1.50"), Decimal("2.25"), None],
    "scales": [Decimal("1.5"), Decimal("1.50"), None],
    "integers": [1, None, BIG],
    "more than 64 bits": [2**70, 1, 2],
    "UUIDs": [uuid.UUID(int=1), uuid.UUID(int=2), None],
    "dates": [date(1, 1, 1), None, date(2, 2, 2)],
    "times": [time(1), None, time(2, 3, 4, 5)],
    "durations": [timedelta(1), None, timedelta(2)],
    "datetimes": [datetime(1, 1, 1), None, datetime(2, 2, 2)],
    "booleans": [True, None, False],
    "bytes": [b"", None, b"a"],
    "NaN": [np.nan, np.nan, np.nan],
    "None": [None, None, None],
    "NA": [pd.NA, pd.NA, pd.NA],
    "tuples": [(1,), (2,), None],
    "lists": [[1], [2, None], None],
    "complex": [1j, None, 2j],
}
PANDAS = _pandas()


def _polars() -> dict[str, pl.Series]:
    made: dict[str, pl.Series] = {}
    for name in [
        "Int8",
        "Int16",
        "Int32",
        "Int64",
        "Int128",
        "UInt8",
        "UInt16",
        "UInt32",
        "UInt64",
        "UInt128",
    ]:
        if hasattr(pl, name):
            made[name] = pl.Series([1, None, 0], dtype=getattr(pl, name))
    for name in ("Float16", "Float32", "Float64"):
        if hasattr(pl, name):
            made[name] = pl.Series([1.5, None, -0.0], dtype=getattr(pl, name))
    made["BIG"] = pl.Series([BIG, None, 5])
    made["Int128, large"] = pl.Series([2**126, None, -(2**126)], dtype=pl.Int128)
    made["Boolean"] = pl.Series([True, None, False])
    made["String"] = pl.Series(["", None, "é\0"])
    made["Binary"] = pl.Series([b"", None, b"\xff"])
    made["Null"] = pl.Series([None, None])
    for precision in (10, 38):
        made[f"Decimal({precision}, 2)"] = pl.Series(
            [Decimal("1.50"), None], dtype=pl.Decimal(precision, 2)
        )
    made["Date"] = pl.Series([date(1, 1, 1), None, date(9999, 12, 31)])
    made["Time"] = pl.Series([1000, None, 2000], dtype=pl.Int64).cast(pl.Time)
    for unit in ("ms", "us", "ns"):
        numbers = pl.Series([1000, None, -1000], dtype=pl.Int64)
        for zone in ZONES[:3]:
            made[f"Datetime({unit}, {zone})"] = numbers.cast(
                pl.Datetime(unit)
            ).dt.replace_time_zone(zone)
        made[f"Duration({unit})"] = numbers.cast(pl.Duration(unit))
    made["Categorical"] = pl.Series(["b", None, "a"], dtype=pl.Categorical)
    made["Enum"] = pl.Series(["b", None, "a"], dtype=pl.Enum(["b", "a", "unused"]))
    made["Enum, no categories"] = pl.Series([None, None], dtype=pl.Enum([]))
    made["List"] = pl.Series([[BIG, None], None, []], dtype=pl.List(pl.Int64))
    made["List(List)"] = pl.Series(
        [[[BIG, None], None], None, []], dtype=pl.List(pl.List(pl.Int64))
    )
    made["List(Int128)"] = pl.Series([[2**100], None], dtype=pl.List(pl.Int128))
    made["List(Enum)"] = pl.Series([["a"], None], dtype=pl.List(pl.Enum(["a", "b"])))
    made["Array"] = pl.Series([[1, None], None, [BIG, 4]], dtype=pl.Array(pl.Int64, 2))
    made["Array(2, 2)"] = pl.Series([[[1, 2], [3, 4]], None], dtype=pl.Array(pl.Int64, (2, 2)))
    made["Struct"] = pl.Series([{"x": BIG, "y": "a"}, None, {"x": None, "y": None}])
    if hasattr(pl, "Map"):
        made["Map"] = pl.Series([{"a": 1}, None], dtype=pl.Map(pl.String, pl.Int64))
    return {name: series.alias("a") for name, series in made.items()}


POLARS = _polars()

# For each type of DuckDB, an expression of it.
DUCKDB = {
    "BIGINT": "9223372036854775807::BIGINT",
    "INTEGER": "5::INTEGER",
    "SMALLINT": "5::SMALLINT",
    "TINYINT": "5::TINYINT",
    "UBIGINT": "18446744073709551615::UBIGINT",
    "UINTEGER": "4294967295::UINTEGER",
    "USMALLINT": "65535::USMALLINT",
    "UTINYINT": "255::UTINYINT",
    "HUGEINT": "sum(9223372036854775807)",
    "HUGEINT of 38 digits": f"(-{'9' * 38})::HUGEINT",
    "UHUGEINT": f"{'9' * 38}::UHUGEINT",
    "BIGNUM": f"'{'9' * 50}'::BIGNUM",
    "BOOLEAN": "true",
    "FLOAT": "1.5::FLOAT",
    "DOUBLE": "'-0.0'::DOUBLE",
    "DECIMAL": "1.50::DECIMAL(10,2)",
    "VARCHAR": "'é'",
    "BLOB": "'\\xff'::BLOB",
    "UUID": "'00000000-0000-0000-0000-000000000001'::UUID",
    "ENUM": "'b'::ENUM('b','a')",
    "JSON": "'{\"a\":  1}'::JSON",
    "BIT": "'0101'::BIT",
    "DATE": "DATE '2023-01-01'",
    "TIME": "TIME '01:02:03.000004'",
    "TIME_NS": "'01:02:03.000000004'::TIME_NS",
    "TIME WITH TIME ZONE": "'01:02:03+05:30'::TIMETZ",
    "TIMESTAMP": "TIMESTAMP '2023-01-01 00:00:00.000001'",
    "TIMESTAMP_S": "'2023-01-01'::TIMESTAMP_S",
    "TIMESTAMP_MS": "'2023-01-01'::TIMESTAMP_MS",
    "TIMESTAMP_NS": "'2023-01-01 00:00:00.000000001'::TIMESTAMP_NS",
    "TIMESTAMP WITH TIME ZONE": "'2023-01-01 00:00:00+01'::TIMESTAMPTZ",
    "TIMESTAMPTZ_NS": "'2023-01-01 00:00:00.000000001+01'::TIMESTAMPTZ_NS",
    "INTERVAL": "INTERVAL '1 month 2 days 3 microseconds'",
    "LIST": "[1, NULL]",
    "LIST of HUGEINT": "[1::HUGEINT]",
    "LIST of ENUM": "['b'::ENUM('b','a')]",
    "ARRAY": "[1, 2]::INTEGER[2]",
    "ARRAY of HUGEINT": "[1, 2]::HUGEINT[2]",
    "STRUCT": "{'x': 1, 'y': 'a'}",
    "STRUCT of UUID": "{'x': '00000000-0000-0000-0000-000000000001'::UUID, 'y z': 1}",
    "MAP": "MAP{'a': 1}",
    "MAP of ENUM": "MAP{'a'::ENUM('a','b'): 1::HUGEINT}",
    "UNION": "union_value(num := 2)::UNION(num INTEGER, str VARCHAR)",
    "UNION of UUID": "union_value(n := '00000000-0000-0000-0000-000000000001'::UUID)::UNION(n UUID, s VARCHAR)",
    "TUPLE": "row(1, 'a')",
    "NULL": "NULL",
    "VARIANT": "'{}'::VARIANT",
    "GEOMETRY": "'POINT(1 1)'::GEOMETRY",
}
