"""What several assets reach: constants, functions, a class of a value, a class of config."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import assetgraph as dg

FILES = Path("files")
RATE = 2.0
SURCHARGE = 0.5
ZONES = {"Harlem": 41, "SoHo": 211, "Inwood": 127}


@dataclass(frozen=True)
class Zone:
    """A class of the project, so that a pickle of it names its definition."""

    name: str
    number: int
    neighbors: tuple[str, ...] = field(default=())

    @property
    def label(self) -> str:
        return f"{self.number}: {self.name}"


class MonthConfig(dg.Config):
    month: str = "2023-03"
    limit: int = 3


class JsonFiles(dg.IOManager):
    """A person's own storage: a JSON file for each asset."""

    def handle_output(self, context, obj):
        FILES.mkdir(exist_ok=True)
        path = FILES / f"{context.asset_key.path[-1]}.json"
        path.write_text(json.dumps(obj), encoding="utf-8")
        context.add_output_metadata({"path": dg.MetadataValue.path(path)})

    def load_input(self, context):
        return json.loads((FILES / f"{context.asset_key.path[-1]}.json").read_text("utf-8"))


def rows(month: str, count: int) -> list[dict]:
    """The same trips each time: no clock and no chance."""
    names = sorted(ZONES)
    return [
        {"month": month, "zone": names[i % len(names)], "fare": 5.0 + i * RATE, "miles": i / 4}
        for i in range(count)
    ]


def total(numbers, start=0.0):
    for number in numbers:
        start += number
    return round(start, 2)


def asked(name: str) -> bool:
    """Whether an experiment is on for this command: see `made_by.sh`."""
    return os.environ.get(f"PIPELINE_{name}") is not None
