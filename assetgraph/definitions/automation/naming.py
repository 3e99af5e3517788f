"""The names of jobs, schedules and sensors, and where they are defined."""

from __future__ import annotations

import re
import sys

from assetgraph.definitions.annotations import described
from assetgraph.errors import InvalidDefinitionError

_NAME = re.compile(r"\w+")


def checked_name(kind: str, name: object) -> str:
    """The name of a job, a schedule or a sensor. Raises `InvalidDefinitionError` for any that is
    not letters, digits and `_`."""
    if not isinstance(name, str):
        raise InvalidDefinitionError(
            f"the name of a {kind} is {described(name)}.", hint='Write it as text: name="…".'
        )
    if not _NAME.fullmatch(name):
        raise InvalidDefinitionError(
            f"{name!r} cannot be the name of a {kind}.", hint="Use letters, digits and '_'."
        )
    return name


def calling_place() -> tuple[str, int]:
    """The file and line of the code outside this package that defines something."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in ("assetgraph", "dataclasses"):
            break
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
