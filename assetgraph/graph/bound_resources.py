"""Which resource each parameter and each asset takes, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from assetgraph.definitions.annotations import EMPTY, annotation_text, described
from assetgraph.definitions.computation import AssetSpec, Computation, is_config_type
from assetgraph.definitions.resource_marks import is_resource_type
from assetgraph.definitions.signature import BY_NAME
from assetgraph.errors import Problem
from assetgraph.text import did_you_mean, listed

DEFAULT_MANAGER = "io_manager"
_PLAIN = (str, bytes, int, float, complex, list, tuple, set, frozenset, dict, type(None))


def with_resources(
    computations: Iterable[Computation], resources: Mapping[str, Any]
) -> list[Computation]:
    """The computations, each with the parameters that take the resource of their name, and the IO
    managers that are resources. A name that an asset has too is the asset's."""
    given = list(computations)
    if not resources:
        return given
    assets = {spec.key.name for made in given for spec in made.specs}
    offered = resources.keys() - assets
    return [_bound(made, resources, offered) for made in given]


def resource_problems(
    computations: Iterable[Computation], resources: Mapping[str, Any]
) -> Iterator[Problem]:
    """Every resource that is needed and missing, or of a wrong type."""
    for made in computations:
        for name, how in _needed(made):
            if name not in resources:
                yield _missing(made, name, how, resources)
            elif wrong := _wrong_resource(name, resources[name]):
                yield _problem(made, f"{made.label}: {wrong[0]}.", wrong[1])
        yield from _wrong_managers(made, resources)
        yield from _wrong_types(made, resources)


def needed_resources(computation: Computation) -> tuple[str, ...]:
    """The names of the resources that a computation takes by its parameters or its context."""
    names = (*computation.resource_parameters, *sorted(computation.required_resource_keys))
    return tuple(dict.fromkeys(names))


def _bound(made: Computation, resources: Mapping[str, Any], offered: Iterable[str]) -> Computation:
    named = frozenset(
        p.name
        for p in made.parameters
        if p.name in offered
        and p.name not in made.ins
        and p.name != made.context_parameter
        and not p.has_default
        and p.kind in BY_NAME
        and (p.annotation is EMPTY or not is_config_type(p.annotation))
    )
    specs = tuple([_managed(spec, resources, made.is_external) for spec in made.specs])
    if named == made.named_resources and all(
        a is b for a, b in zip(specs, made.specs, strict=True)
    ):
        return made
    return replace(made, named_resources=named, specs=specs)


def _managed(spec: AssetSpec, resources: Mapping[str, Any], is_external: bool) -> AssetSpec:
    """The spec with its IO manager, if that is a resource. It has an `io_manager_key` then."""
    key = spec.io_manager_key or DEFAULT_MANAGER
    if spec.io_manager_key is None and (spec.io_manager is not None or is_external):
        return spec
    manager = resources.get(key)
    if manager is None or manager is spec.io_manager or _wrong_manager(manager):
        return spec
    return msgspec.structs.replace(spec, io_manager=manager, io_manager_key=key)


def _needed(made: Computation) -> Iterator[tuple[str, str]]:
    """The names of the resources that a computation needs, each with how it asks for it."""
    if made.resource_parameters:
        parameters = {parameter.name: parameter for parameter in made.parameters}
        for name in made.resource_parameters:
            if not parameters[name].has_default:
                yield name, "a parameter"
    for name in sorted(made.required_resource_keys):
        yield name, "required_resource_keys="


def _missing(made: Computation, name: str, how: str, resources: Mapping[str, Any]) -> Problem:
    wanted = next((p.annotation for p in made.parameters if p.name == name), EMPTY)
    named = isinstance(wanted, type) and wanted is not EMPTY
    example = f"{wanted.__name__}(…)" if named else "…"
    has = f" There is: {listed(sorted(resources))}." if resources else ""
    remedy = did_you_mean(name, resources) or f'Give it: resources={{"{name}": {example}}}.{has}'
    message = f"{made.label} needs the resource {name!r} ({how}), which nothing gives."
    return _problem(made, message, remedy)._replace(is_unknown_resource=True)


def _wrong_resource(name: str, given: Any) -> tuple[str, str] | None:
    if isinstance(given, type):
        what = f"the resource {name!r} is the class {given.__name__}, not an object of it"
        return what, f"Write {given.__name__}(…)."
    return None


def _wrong_types(made: Computation, resources: Mapping[str, Any]) -> Iterator[Problem]:
    """Plain data, or a resource of another class, in the place of a resource that has a class. Any
    other object may be a fake."""
    for parameter in made.parameters if made.resource_parameters else ():
        name, wanted = parameter.name, parameter.annotation
        given = resources.get(name, EMPTY)
        if not isinstance(wanted, type) or not is_resource_type(wanted):
            continue
        is_other = is_resource_type(type(given)) and not isinstance(given, wanted)
        if is_other or (type(given) in _PLAIN and type(given) is not wanted):
            yield _problem(
                made,
                f"{made.label}: the resource {name!r} must be {annotation_text(wanted)}, "
                f"not {described(given)}.",
                "Give an object of that class, or of one that stands in for it.",
            )


def _wrong_managers(made: Computation, resources: Mapping[str, Any]) -> Iterator[Problem]:
    for spec in made.specs:
        key = spec.io_manager_key or DEFAULT_MANAGER
        if key not in resources:
            if spec.io_manager_key is not None:
                yield _missing(made, key, "io_manager_key=", resources)
        elif spec.io_manager is None and (spec.io_manager_key or not made.is_external):
            wrong = _wrong_manager(resources[key])
            if wrong:
                yield _problem(
                    made,
                    f"asset {spec.key.text!r}: the resource {key!r} is no IO manager, but {wrong}.",
                    "Give an object with the methods handle_output and load_input.",
                )


def _wrong_manager(given: Any) -> str | None:
    if isinstance(given, type):
        return f"the class {given.__name__}"
    if hasattr(given, "handle_output") and hasattr(given, "load_input"):
        return None
    return described(given)


def _problem(made: Computation, message: str, remedy: str) -> Problem:
    return Problem(made.file, made.line, message, remedy, made.specs[0].key.text)
