"""Assets whose name in their module stands for something else, such as the function that a
decorator above `@asset` returned. A run calls the asset, so what replaced it would be lost."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from assetgraph.definitions.annotations import described
from assetgraph.definitions.asset import Asset
from assetgraph.definitions.registry import Modules, module_variables, values_of
from assetgraph.errors import Problem
from assetgraph.text import place_text

_DEEPEST = 8  # wrappers around wrappers
_REMEDY = "Put @asset above every other decorator, so that the asset calls what they return."


def with_wrapped_ones_marked(assets: Sequence[Asset], modules: Modules) -> Sequence[Asset]:
    """Assets that are no variables of `modules`, with a mistake in each that a variable of those,
    or of the module that defines it, wraps."""
    own = {asset.module: module_variables(sys.modules.get(asset.module)) for asset in assets}
    wrappers: dict[int, object] = {}
    known: set[int] = set()
    for _, item in values_of({**own, **modules}):
        known.add(id(item))
        inner = wrapped_asset(item)
        if inner is not None:
            wrappers.setdefault(id(inner), item)
    return [
        _marked(asset, wrappers[id(asset)])
        if id(asset) in wrappers and id(asset) not in known
        else asset
        for asset in assets
    ]


def replaced_names(assets: Iterable[Asset]) -> Iterator[Problem]:
    """Warnings about assets whose function's name stands for something that is not an asset."""
    for asset in assets:
        function = asset.plain_function
        if function is None or function.__qualname__ != function.__name__ or asset.mistakes:
            continue
        variables = module_variables(sys.modules.get(asset.module))
        now = variables.get(function.__name__, asset)
        if issubclass(type(now), Asset):
            continue
        yield Problem(
            asset.file,
            asset.line,
            f"asset {asset.name!r} is loaded, but {function.__name__!r} is now "
            f"{_what(now)}, which it does not call.",
            f"If a decorator did that: {_REMEDY} Otherwise rename one of the two.",
            asset.specs[0].key.text,
        )


def not_an_asset(item: object) -> str:
    """Why something in a list of assets is refused."""
    inner = wrapped_asset(item)
    if inner is not None:
        return f"{_what(item)} wraps the asset {inner.name!r} ({inner.place}). {_REMEDY}"
    return f"{item!r} is not an asset: decorate the function with @asset"


def wrapped_asset(value: Any) -> Asset | None:
    """The asset that a function, a partial or an object holds and calls, if there is one.

    Reads only what Python itself keeps of them, so no code of theirs runs.
    """
    for _ in range(_DEEPEST):
        kind = type(value)
        if kind is MethodType:
            value = value.__self__
        elif kind is partial:
            value = value.func
        else:
            value = _held_by(value)
        if issubclass(type(value), Asset):
            asset: Asset = value
            return asset
        if value is None:
            break
    return None


def _held_by(value: Any) -> object:
    """What a wrapper holds: `__wrapped__`, else an asset in the closure or in an attribute."""
    if issubclass(type(value), type) or not callable(value):
        return None
    try:
        kept = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    if "__wrapped__" in kept:
        return kept["__wrapped__"]
    inside = list(kept.values())
    if type(value) is FunctionType:
        inside += [cell.cell_contents for cell in value.__closure__ or () if _is_set(cell)]
    return next((one for one in inside if issubclass(type(one), Asset)), None)


def _is_set(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _marked(asset: Asset, wrapper: object) -> Asset:
    wrong = f"{_what(wrapper)} wraps the asset, and a run would not call the wrapper"
    return replace(asset, mistakes=(*asset.mistakes, (wrong, _REMEDY)))


def _what(value: object) -> str:
    """What something is, with its place if it is a function."""
    if type(value) is FunctionType:
        code = value.__code__
        place = place_text(code.co_filename, code.co_firstlineno)
        return f"the function {code.co_name!r} ({place})"
    return described(value)
