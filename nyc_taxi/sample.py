"""The embedded sample of yellow taxi trips, for running the pipeline without a network.

The trips are made up, the same every time, and have exactly the columns of the TLC's file for
2023-03. `is_sample` recognizes the files of the sample; `marks` label the tables made from them.
"""

from __future__ import annotations

import calendar
import math
import random
from bisect import bisect
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

from nyc_taxi import sample_zones
from nyc_taxi.files import replacing
from nyc_taxi.sample_zones import LONGITUDE_SCALE, ZONES, Zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

ROWS = 5_000
BATCH_ROWS = 1 << 16
SOURCE = "embedded sample"
MARK = {"source": f"{SOURCE}: made up by nyc_taxi, not data of the TLC"}

COLUMNS = {
    "VendorID": "int32",
    "tpep_pickup_datetime": "timestamp[us]",
    "tpep_dropoff_datetime": "timestamp[us]",
    "passenger_count": "int64",
    "trip_distance": "double",
    "RatecodeID": "int64",
    "store_and_fwd_flag": "string",
    "PULocationID": "int32",
    "DOLocationID": "int32",
    "payment_type": "int64",
    "fare_amount": "double",
    "extra": "double",
    "mta_tax": "double",
    "tip_amount": "double",
    "tolls_amount": "double",
    "improvement_surcharge": "double",
    "total_amount": "double",
    "congestion_surcharge": "double",
    "Airport_fee": "double",
}
CHARGES = (
    "fare_amount", "extra", "mta_tax", "tolls_amount", "improvement_surcharge",
    "congestion_surcharge", "Airport_fee",
)  # fmt: skip
NULL_TOGETHER = (
    "passenger_count", "RatecodeID", "store_and_fwd_flag", "congestion_surcharge", "Airport_fee",
)  # fmt: skip

NEWARK, JFK, LAGUARDIA, UNKNOWN_ZONE = 1, 132, 138, 264
AIRPORTS = frozenset({NEWARK, JFK, LAGUARDIA})
MILES_A_DEGREE = 69.0

# The shares of trips per weekday from Monday, per hour, and so on: only ratios matter.
WEEKDAYS = (0.88, 0.98, 1.03, 1.07, 1.08, 1.10, 0.90)
HOURS = (
    25, 17, 11, 7, 5, 6, 14, 28, 38, 42, 45, 48, 52, 54, 58, 60, 61, 67, 70, 62, 56, 56, 52, 41,
)  # fmt: skip
PASSENGERS = (2, 75, 15, 4, 2, 1.2, 0.8)
PAYMENTS = (0, 80, 17, 1, 2)


def write_trips(path: Path, month: str) -> None:
    """Write the sample for `month`, such as "2023-03", as a Parquet file."""
    import pyarrow.parquet as pq

    with replacing(path) as file, pq.ParquetWriter(file, _schema()) as writer:
        for batch in trips(month, ROWS):
            writer.write_batch(batch)


def write_zones(path: Path) -> None:
    """Write the sample of the taxi zones as a CSV file."""
    with replacing(path) as file:
        file.write(sample_zones.zones_csv().encode())


def is_sample(path: Path) -> bool:
    """Whether this module, in any version, wrote the file `path`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix == ".csv":
        with open(path, "rb") as file:
            header, first_row = file.readline(), file.readline()
        mark = f"{sample_zones.OBJECT_ID},".encode()
        return header.strip() == sample_zones.HEADER.encode() and first_row.startswith(mark)
    try:
        marks = pq.read_schema(path).metadata or {}
    except pa.ArrowInvalid:
        return False
    return bool(marks.get(b"source", b"").startswith(SOURCE.encode()))


def marks(path: Path) -> dict[str, str]:
    """Schema metadata for a table read from `path`: it labels a table from the sample as such.

    The tables and pictures made from it can then say so. Empty for a real file.
    """
    return MARK if is_sample(path) else {}


def trips(month: str, rows: int) -> Iterator[pa.RecordBatch]:
    """`rows` made-up trips of `month`, in batches."""
    import pyarrow as pa

    made = islice(_trips(month), rows)
    while batch := list(islice(made, BATCH_ROWS)):
        yield pa.RecordBatch.from_pylist(batch, schema=_schema())


def _schema() -> pa.Schema:
    import pyarrow as pa

    fields = [(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()]
    return pa.schema(fields, metadata=MARK)


def _trips(month: str) -> Iterator[dict[str, Any]]:
    """An endless stream of trips."""
    chance = random.Random(month)
    first = datetime.fromisoformat(f"{month}-01")
    days = calendar.monthrange(first.year, first.month)[1]
    day = _picker(chance, [WEEKDAYS[(first.weekday() + n) % 7] for n in range(days)])
    hour = _picker(chance, HOURS)
    place = _picker(chance, [zone.weight for zone in ZONES])
    passengers = _picker(chance, PASSENGERS)
    payment = _picker(chance, PAYMENTS)
    while True:
        pickup = first + timedelta(days=day(), hours=hour(), seconds=int(3600 * chance.random()))
        begin = ZONES[place()]
        # Most trips are short: pick the nearest of three places, except from an airport.
        ends = [ZONES[place()] for _ in range(1 if begin.id in AIRPORTS else 3)]
        end = min(ends, key=partial(_miles, begin))
        trip = _metered(chance, pickup, begin, end)
        trip |= {"passenger_count": passengers(), "payment_type": payment()}
        _settle(chance, trip)
        _spoil(chance, trip)
        yield trip


def _metered(chance: random.Random, pickup: datetime, begin: Zone, end: Zone) -> dict[str, Any]:
    """A trip's places, times and charges, before tip and total."""
    miles = 0.3 + _miles(begin, end) * (1.2 + 0.4 * chance.random())
    airports = AIRPORTS & {begin.id, end.id}
    minutes = 2 + 60 * miles / ((22 if airports else 10) * (0.7 + 0.8 * chance.random()))
    in_manhattan = "Manhattan" in (begin.borough, end.borough)
    rate = 2 if JFK in airports and in_manhattan else 3 if NEWARK in airports else 1
    rush = pickup.weekday() < 5 and 16 <= pickup.hour < 20
    night = pickup.hour >= 20 or pickup.hour < 6
    return {
        "VendorID": 2 if chance.random() < 0.72 else 1,
        "tpep_pickup_datetime": pickup,
        "tpep_dropoff_datetime": pickup + timedelta(seconds=int(60 * minutes)),
        "trip_distance": round(miles, 2),
        "RatecodeID": rate,
        "store_and_fwd_flag": "Y" if chance.random() < 0.006 else "N",
        "PULocationID": begin.id,
        "DOLocationID": end.id,
        "fare_amount": 70.0 if rate == 2 else round(3 + 2.2 * miles + 0.45 * minutes, 1),
        "extra": 2.5 if rush else 1.0 if night else 0.0,
        "mta_tax": 0.5,
        "tolls_amount": 6.55 if airports and chance.random() < 0.5 else 0.0,
        "improvement_surcharge": 1.0,
        "congestion_surcharge": 2.5 if in_manhattan else 0.0,
        "Airport_fee": 1.25 if begin.id in (JFK, LAGUARDIA) else 0.0,
    }


def _settle(chance: random.Random, trip: dict[str, Any]) -> None:
    """Add the total and the tip, which is recorded only for cards."""
    due = sum(trip[name] for name in CHARGES)
    generosity = 0.15 + 0.15 * chance.random()
    trip["tip_amount"] = round(generosity * due, 2) if trip["payment_type"] == 1 else 0.0
    trip["total_amount"] = round(due + trip["tip_amount"], 2)


def _spoil(chance: random.Random, trip: dict[str, Any]) -> None:
    """Give a few trips the faults of real ones.

    Five columns are null at once, charges are negative, the zone is unknown, or the meter runs in
    another year.
    """
    fate = chance.random()
    if fate < 0.023:
        trip |= dict.fromkeys(NULL_TOGETHER) | {"payment_type": 0}
    elif fate < 0.032:
        charges = {name: -trip[name] for name in (*CHARGES, "tip_amount", "total_amount")}
        trip |= charges | {"payment_type": 4}
    elif fate < 0.040:
        trip["PULocationID"] = UNKNOWN_ZONE
    elif fate < 0.041:
        for name in ("tpep_pickup_datetime", "tpep_dropoff_datetime"):
            trip[name] = trip[name].replace(year=2009, day=1)


def _picker(chance: random.Random, weights: Sequence[float]) -> Callable[[], int]:
    """A function that returns a random index, with probabilities in proportion to `weights`."""
    bounds = list(accumulate(weights))
    return lambda: bisect(bounds, chance.random() * bounds[-1])


def _miles(begin: Zone, end: Zone) -> float:
    """The distance between two zones in miles, as the crow flies."""
    east = (end.longitude - begin.longitude) * LONGITUDE_SCALE
    return MILES_A_DEGREE * math.hypot(east, end.latitude - begin.latitude)
