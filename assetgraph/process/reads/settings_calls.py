"""Tells the recorder which environment variables a settings class of the project looks up.

pydantic copies the whole environment and looks a field up in the copy, which the environment
itself does not see.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from assetgraph.process.reads.callers import caller
from assetgraph.process.reads.recorder import Recorder, quiet
from assetgraph.process.reads.rules import PROJECT


def looks_up(recorder: Recorder, given: Mapping[str, Any]) -> None:
    """`EnvSettingsSource.get_field_value` was called with these arguments."""
    source, field, name = given["self"], given["field"], given["field_name"]
    if not _is_of_project(recorder, source.settings_cls):
        return
    who = caller(recorder.rules)
    looked_up = [env_name for _, env_name, _ in source._extract_field_info(field, name)]
    with quiet():
        present = dict(os.environ)
    for variable in _variables(looked_up, source, present):
        if variable not in recorder.own_variables:
            recorder.variable(variable, present.get(variable), who.project if who else None)


def _variables(names: list[str], source: Any, present: Mapping[str, str]) -> Iterator[str]:
    """The variables that stand for the names of a field, and for the fields of its value."""
    for name in names:
        matching = [one for one in present if _folded(one, source) == name]
        yield from matching or [name if source.case_sensitive else name.upper()]
        if source.env_nested_delimiter:
            inner = name + source.env_nested_delimiter
            yield from (one for one in present if _folded(one, source).startswith(inner))


def _folded(variable: str, source: Any) -> str:
    return variable if source.case_sensitive else variable.lower()


def _is_of_project(recorder: Recorder, settings: type) -> bool:
    file = getattr(sys.modules.get(settings.__module__), "__file__", None)
    return file is not None and recorder.rules.code(file) is PROJECT
