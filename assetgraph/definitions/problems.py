"""Problems of a single computation and its assets, found without the rest of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from assetgraph.definitions.annotations import EMPTY, not_a_type
from assetgraph.definitions.signature import BY_NAME
from assetgraph.errors import Problem
from assetgraph.keys import AssetKey, key_problem

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec, Computation


Wrong = tuple[str, str]  # a message and a remedy


def definition_problems(computation: Computation) -> list[Problem]:
    """Every problem of one computation and its assets, found without the rest of the graph."""
    first = computation.specs[0]
    found = [
        (first, *wrong)
        for find in (_wrong_options, _wrong_parameters, _wrong_annotations, _wrong_ins)
        for wrong in find(computation)
    ]
    for spec in computation.specs:
        found += [(spec, *wrong) for find in _FINDERS for wrong in find(spec)]
    if not found:
        return []
    place = computation.file, computation.line
    return [Problem(*place, message, remedy, spec.key.text) for spec, message, remedy in found]


def _wrong_options(computation: Computation) -> Iterable[Wrong]:
    if not computation.mistakes:
        return ()
    return [(f"{computation.label}: {m}.", remedy) for m, remedy in computation.mistakes]


def _wrong_parameters(computation: Computation) -> Iterable[Wrong]:
    found: list[Wrong] = []
    if computation.signature.only_names:
        return found
    configs = []
    label = computation.label
    for parameter in computation.parameters:
        if computation.takes_config(parameter):
            configs.append(parameter.name)
        if parameter.kind in BY_NAME:
            continue
        if parameter.kind is parameter.kind.POSITIONAL_ONLY:
            message = f"{label} takes {parameter.name!r} by position only."
            found.append((message, "Inputs are passed by name: remove the '/'."))
        else:
            stars = "*" if parameter.kind is parameter.kind.VAR_POSITIONAL else "**"
            message = f"{label} takes {stars}{parameter.name}, which does not name an upstream."
            remedy = (
                "Name each upstream as a parameter, or list those that are not loaded in deps=."
            )
            found.append((message, remedy))
    if configs and computation.config_type is not None:
        from assetgraph.definitions.config_problems import config_problems

        for message, remedy in config_problems(computation.config_type):
            found.append((f"config of {label}: {message}.", remedy))
    if len(configs) > 1:
        message = f"{label} takes config twice: {' and '.join(configs)}."
        found.append((message, "Put all fields into one Config class."))
    return found


def _wrong_annotations(computation: Computation) -> Iterator[Wrong]:
    parameters, returns, _ = computation.signature
    for parameter in parameters:
        if parameter.annotation is not EMPTY and (wrong := not_a_type(parameter.annotation)):
            where = f"parameter {parameter.name!r} of {computation.label}"
            yield f"{where} is annotated with {wrong[0]}, not with a type.", wrong[1]
    if returns is not EMPTY and (wrong := not_a_type(returns)):
        where = f"the result of {computation.label}"
        yield f"{where} is annotated with {wrong[0]}, not with a type.", wrong[1]


def _wrong_ins(computation: Computation) -> Iterable[Wrong]:
    if not computation.ins:
        return ()
    names = {p.name for p in computation.parameters}
    remedy = f"Its parameters: {', '.join(sorted(names)) or 'none'}."
    return [
        (
            f"ins= of {computation.label} names {parameter_name!r}, "
            "which is not a parameter of the function.",
            remedy,
        )
        for parameter_name in computation.ins
        if parameter_name not in names
    ]


def _wrong_key(spec: AssetSpec) -> Iterable[Wrong]:
    wrong = key_problem(spec.key)
    if wrong and getattr(spec, "checks", None) is not None:  # in place of the colon of a check
        wrong = key_problem(AssetKey.unchecked(spec.key.text.replace(":", ".", 1)))
    return [(f"{wrong}.", "Rename it, or give it a key with key=.")] if wrong else ()


def _wrong_group(spec: AssetSpec) -> Iterable[Wrong]:
    if _is_name((spec.group_name,)):
        return ()
    message = (
        f"the group {spec.group_name!r} of asset {spec.key.text!r} is not a valid name: "
        "letters, digits, '_', '-' and '.' are allowed."
    )
    return [(message, "Rename it.")]


def _wrong_tags(spec: AssetSpec) -> Iterable[Wrong]:
    if not spec.tags:
        return ()
    return [
        (
            f"the tag {tag!r} of asset {spec.key.text!r} is not a valid name: letters, digits, "
            "'_', '-', '.' and '/' are allowed.",
            "Rename it.",
        )
        for tag in spec.tags
        if not _is_name(tuple(tag.split("/")))
    ]


def _wrong_owners(spec: AssetSpec) -> Iterable[Wrong]:
    if not spec.owners:
        return ()
    return [
        (
            f"the owner {owner!r} of asset {spec.key.text!r} is neither an e-mail address nor a "
            "team.",
            f"Write 'team:{owner}' for a team.",
        )
        for owner in spec.owners
        if "@" not in owner and not owner.startswith("team:")
    ]


_FINDERS = (_wrong_key, _wrong_group, _wrong_tags, _wrong_owners)


@lru_cache(1024)
def _is_name(parts: tuple[str, ...]) -> bool:
    """Whether a name is valid. Cached, because many assets share a few names."""
    return key_problem(AssetKey.unchecked(parts)) is None
