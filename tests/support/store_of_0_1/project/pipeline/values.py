"""An asset for each way to keep a value."""

import datetime
import decimal
import sys
import warnings
from pathlib import Path

import assetgraph as dg

from .helpers import FILES, JsonFiles, MonthConfig, Zone, ZONES, rows, total


@dg.asset(group_name="raw", kinds=["json"], owners=["team:data"], tags={"tier": "1"})
def trips(config: MonthConfig) -> list[dict]:
    """Trips, small enough to lie in the record itself."""
    print(f"reading {config.month}")
    return rows(config.month, config.limit)


@dg.asset(group_name="raw", metadata={"source": "made up"})
def many_trips(config: MonthConfig) -> list[dict]:
    """Trips in a JSON file."""
    return rows(config.month, 40 * config.limit)


@dg.asset(key_prefix=["raw", "tlc"], group_name="raw", deps=["prepared"])
def trips_file(trips) -> Path:
    """A returned file."""
    path = FILES / "trips.csv"
    path.write_text("\n".join(f"{trip['zone']},{trip['fare']}" for trip in trips) + "\n")
    return path


@dg.asset(key_prefix="raw", group_name="raw", deps=["prepared"])
def zone_folder(context: dg.AssetExecutionContext):
    """A returned folder."""
    folder = FILES / "zones"
    folder.mkdir(exist_ok=True)
    for done, (name, number) in enumerate(ZONES.items(), 1):
        (folder / f"{number}.txt").write_text(name, encoding="utf-8")
        context.progress(done, len(ZONES), "zones")
    context.log.info("wrote %d zones", len(ZONES))
    return folder


@dg.asset(group_name="raw")
def prepared() -> None:
    """Nothing is kept of it."""
    FILES.mkdir(exist_ok=True)


@dg.asset
def title(trips: list[dict]) -> str:
    return f"{len(trips)} trips — größer als nichts\n"


@dg.asset
def long_text(trips: list[dict]) -> str:
    return "".join(f"{trip['zone']} → {trip['fare']:.2f}\n" for trip in trips) * 120


@dg.asset
def digest() -> bytes:
    print("to stdout")
    print("to stderr", file=sys.stderr)
    warnings.warn("two bytes are few", stacklevel=1)
    return b"\x00\xff"


@dg.asset
def noise() -> bytes:
    return bytes(range(256)) * 20


@dg.asset(key="größe/маршрут", group_name="ünïcode")
def size_of_routes(trips) -> dict[str, float]:
    return {"Länge": total(trip["miles"] for trip in trips)}


@dg.asset(group_name="pickled")
def zones() -> list[Zone]:
    """A pickle that names a class of the project."""
    names = sorted(ZONES)
    return [Zone(name, ZONES[name], tuple(n for n in names if n != name)) for name in names]


@dg.asset(group_name="pickled")
def plain_pickle() -> dict:
    """A pickle of objects that any Python has."""
    day = datetime.datetime(2023, 3, 1, 12, 30, tzinfo=datetime.UTC)
    return {("Harlem", 1): {41, 42}, "when": day, "sum": decimal.Decimal("1.10"), 3: 1 + 2j}


@dg.asset(group_name="pickled", ins={"places": dg.AssetIn("zones")})
def labels(places: list[Zone]) -> list[str]:
    return [zone.label for zone in places]


@dg.asset(io_manager=JsonFiles(), group_name="own")
def kept_elsewhere(trips) -> dict:
    return {"zones": [trip["zone"] for trip in trips]}


@dg.asset(group_name="own")
def read_elsewhere(kept_elsewhere) -> int:
    return len(kept_elsewhere["zones"])


@dg.asset(tags={"tier": "2"})
def described(trips) -> dg.MaterializeResult:
    """Metadata of each kind, and a data version of its own."""
    return dg.MaterializeResult(
        value={"count": len(trips)},
        data_version=f"v{len(trips)}",
        metadata={
            "rows": len(trips),
            "share": 0.25,
            "fine": True,
            "link": dg.MetadataValue.url("https://example.org/trips"),
            "file": dg.MetadataValue.path("files/trips.csv"),
            "notes": dg.MetadataValue.md("**few** trips"),
            "json": dg.MetadataValue.json({"a": [1, None]}),
            "table": dg.MetadataValue.table([{"zone": "SoHo", "fares": 2}]),
            "when": dg.MetadataValue.timestamp(1_700_000_000.0),
        },
    )
