"""Reads the files of the Taxi and Limousine Commission (TLC), whatever the month.

The spelling and types of their columns change from month to month. So columns are found by name
without regard to case, and cast to the types defined here.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nyc_taxi import wkt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

BATCH_ROWS = 1 << 16
LONGEST_LINE_BYTES = 1 << 24  # a zone's outline takes 300,000 in the real file


@dataclass(frozen=True, slots=True)
class Column:
    """A column of this pipeline, its possible names in the TLC's files, and its Arrow type."""

    name: str
    sources: tuple[str, ...]
    type: str

    @property
    def source(self) -> str:
        return " or ".join(repr(source) for source in self.sources)


TRIPS = (
    Column("vendor_id", ("VendorID",), "int32"),
    Column("pickup_zone_id", ("PULocationID",), "int32"),
    Column("dropoff_zone_id", ("DOLocationID",), "int32"),
    Column("rate_code_id", ("RatecodeID",), "int32"),
    Column("payment_type", ("payment_type",), "int32"),
    Column("dropoff_datetime", ("tpep_dropoff_datetime", "lpep_dropoff_datetime"), "timestamp[us]"),
    Column("pickup_datetime", ("tpep_pickup_datetime", "lpep_pickup_datetime"), "timestamp[us]"),
    Column("trip_distance", ("trip_distance",), "double"),
    Column("passenger_count", ("passenger_count",), "int32"),
    Column("total_amount", ("total_amount",), "double"),
)
ZONES = (
    Column("zone_id", ("LocationID",), "int32"),
    Column("zone", ("zone",), "string"),
    Column("borough", ("borough",), "string"),
    Column("geometry", ("the_geom",), "string"),
)


class SourceFileError(ValueError):
    """A file is not one of the TLC's, or has a missing or unusable column."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The number of rows in a file, and its columns as (name, type), in order."""

    rows: int
    columns: tuple[tuple[str, str], ...]


def inspect_trips(path: Path) -> FileFacts:
    """The facts of a Parquet file, from its footer. Raises `SourceFileError` if it has none."""
    with _parquet(path) as file:
        return FileFacts(file.metadata.num_rows, _columns(file.schema_arrow))


def inspect_zones(path: Path) -> FileFacts:
    """The facts of a CSV file of zones, read completely. Raises `SourceFileError` if it is not."""
    table = _zones(path)
    _found(ZONES, table.schema)
    return FileFacts(table.num_rows, _columns(table.schema))


def read_trips(path: Path, marks: Mapping[str, str] | None = None) -> pa.RecordBatchReader:
    """The trips with the columns in `TRIPS`, batch by batch. `marks` become schema metadata.

    Raises `SourceFileError` with the column: at once if it is missing, or while reading if it
    cannot be cast.
    """
    import pyarrow as pa

    with _naming(path), _parquet(path) as file:
        _found(TRIPS, file.schema_arrow)
    schema = _schema(TRIPS).with_metadata(dict(marks or {}))
    return pa.RecordBatchReader.from_batches(schema, _trip_batches(path, schema))


def read_zones(path: Path, marks: Mapping[str, str] | None = None) -> pa.Table:
    """The zones with the columns in `ZONES`, one row per zone, sorted by id.

    The file has a row for each part of a zone: they become one row with all parts in its geometry.
    `marks` become schema metadata. Raises `SourceFileError` if the file is not valid.
    """
    import pyarrow as pa

    with _naming(path):
        given = _zones(path)
        columns = [_cast(given[name], column) for name, column in _found(ZONES, given.schema)]
        rows = pa.table(columns, schema=_schema(ZONES)).to_pylist()
        zones: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            zones.setdefault(row["zone_id"], []).append(row)
        if None in zones:
            raise SourceFileError("a row has no LocationID")
        merged = [_merged(zones[zone_id]) for zone_id in sorted(zones)]
    schema = _schema(ZONES).with_metadata(dict(marks or {}))
    return pa.Table.from_pylist(merged, schema=schema)


def _trip_batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with _naming(path), _parquet(path) as file:
        found = _found(TRIPS, file.schema_arrow)
        for batch in file.iter_batches(BATCH_ROWS, columns=[name for name, _ in found]):
            columns = [_cast(batch[name], column) for name, column in found]
            yield pa.record_batch(columns, schema=schema)


def _merged(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows of one zone merged into one."""
    zone = rows[0]
    for other in rows[1:]:
        if (other["zone"], other["borough"]) != (zone["zone"], zone["borough"]):
            raise SourceFileError(
                f"zone {zone['zone_id']} is {zone['zone']!r} in {zone['borough']!r}, "
                f"but also {other['zone']!r} in {other['borough']!r}"
            )
    if len(rows) == 1:
        return zone
    try:
        return zone | {"geometry": wkt.join([row["geometry"] or "" for row in rows])}
    except ValueError as error:
        raise SourceFileError(f"zone {zone['zone_id']}: {error}") from error


def _schema(columns: Sequence[Column]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(column.name, pa.type_for_alias(column.type)) for column in columns])


def _columns(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, str(field.type)) for field in schema)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name in front of the message of a `SourceFileError`."""
    try:
        yield
    except SourceFileError as error:
        raise SourceFileError(f"{path}: {error}") from error.__cause__


def _parquet(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, pre_buffer=False)  # a buffer would keep everything it has read
    except pa.ArrowInvalid as error:
        beginning = _beginning(path)
        how = "its end is cut off or damaged" if "PAR1" in beginning else beginning
        raise SourceFileError(f"not a complete Parquet file: {how}") from error


def _zones(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    whole_lines = csv.ReadOptions(block_size=LONGEST_LINE_BYTES)
    only_empty_is_null = csv.ConvertOptions(null_values=[""])  # "NA" is ordinary text
    try:
        table = csv.read_csv(path, whole_lines, convert_options=only_empty_is_null)
        table.column_names  # noqa: B018 (a name that is not UTF-8 fails here)
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise SourceFileError(f"not a complete CSV file: {_beginning(path)}") from error
    return table


def _found(columns: Sequence[Column], schema: pa.Schema) -> list[tuple[str, Column]]:
    """Each of `columns` with its name in the file. Raises `SourceFileError` if one is missing."""
    names: dict[str, list[str]] = {}
    for name in schema.names:
        names.setdefault(name.lower(), []).append(name)
    found = []
    for column in columns:
        candidates = [n for source in column.sources for n in names.get(source.lower(), ())]
        if len(candidates) != 1:
            many = f"{len(candidates)} columns" if candidates else "no column"
            raise SourceFileError(f"{many} named {column.source}; it has {', '.join(schema.names)}")
        found.append((candidates[0], column))
    return found


def _cast(values: Any, column: Column) -> Any:
    """An array or chunked array, cast to the type of `column`."""
    import pyarrow as pa

    wanted = pa.type_for_alias(column.type)
    given = values.type
    try:
        if pa.types.is_timestamp(wanted) and not _is_local_time(given):
            raise pa.ArrowInvalid("it should be the city's time, without a time zone")
        return values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceFileError(
            f"column {column.source}, of type {given}, cannot be read as {wanted}: {error}"
        ) from error


def _is_local_time(given: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_timestamp(given):
        return given.tz is None
    return bool(pa.types.is_null(given) or pa.types.is_string(given) or pa.types.is_date(given))


def _beginning(path: Path) -> str:
    with open(path, "rb") as file:
        head = file.read(32)
    return f"it begins with {head!r}" if head else "it is empty"
