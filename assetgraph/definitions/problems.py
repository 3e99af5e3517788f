"""What is wrong with one computation and its assets, each looked at alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from assetgraph.definitions.computation import is_config_type
from assetgraph.errors import Problem
from assetgraph.keys import AssetKey, key_problem

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec, Computation


def definition_problems(computation: Computation) -> Iterator[Problem]:
    """What is wrong with one computation and its assets, each looked at alone."""
    place = computation.file, computation.line
    first = computation.specs[0].key.text
    for found in (_wrong_options, _wrong_parameters, _wrong_config, _wrong_ins):
        for message, remedy in found(computation):
            yield Problem(*place, message, remedy, first)
    for spec in computation.specs:
        for found_in_spec in (_wrong_key, _wrong_group, _wrong_tags, _wrong_owners):
            for message, remedy in found_in_spec(spec):
                yield Problem(*place, message, remedy, spec.key.text)


def _wrong_options(computation: Computation) -> Iterator[tuple[str, str]]:
    for message, remedy in computation.mistakes:
        yield f"asset {computation.name!r}: {message}.", remedy


def _wrong_parameters(computation: Computation) -> Iterator[tuple[str, str]]:
    name = computation.name
    for parameter in computation.parameters:
        if parameter.kind in (parameter.kind.VAR_POSITIONAL, parameter.kind.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.kind.VAR_POSITIONAL else "**"
            yield (
                f"asset {name!r} takes {stars}{parameter.name}, which does not name an upstream.",
                "Name each upstream as a parameter, or list those that are not loaded in deps=.",
            )
        elif parameter.kind is parameter.kind.POSITIONAL_ONLY:
            yield (
                f"asset {name!r} takes {parameter.name!r} by position only.",
                "Inputs are passed by name: remove the '/'.",
            )


def _wrong_config(computation: Computation) -> Iterator[tuple[str, str]]:
    configs = [p.name for p in computation.parameters if is_config_type(p.annotation)]
    if len(configs) > 1:
        yield (
            f"asset {computation.name!r} takes config twice: {' and '.join(configs)}.",
            "Put all fields into one Config class.",
        )


def _wrong_ins(computation: Computation) -> Iterator[tuple[str, str]]:
    names = {p.name for p in computation.parameters}
    for parameter_name in computation.ins:
        if parameter_name not in names:
            yield (
                f"ins= of asset {computation.name!r} names {parameter_name!r}, "
                "which is not a parameter of the function.",
                f"Its parameters: {', '.join(sorted(names)) or 'none'}.",
            )


def _wrong_key(spec: AssetSpec) -> Iterator[tuple[str, str]]:
    wrong = key_problem(spec.key)
    if wrong:
        yield wrong + ".", "Rename it, or give it a key with key=."


def _wrong_group(spec: AssetSpec) -> Iterator[tuple[str, str]]:
    if not _is_name((spec.group_name,)):
        yield (
            f"the group {spec.group_name!r} of asset {spec.key.text!r} is not a valid name: "
            "letters, digits, '_', '-' and '.' are allowed.",
            "Rename it.",
        )


def _wrong_tags(spec: AssetSpec) -> Iterator[tuple[str, str]]:
    for tag in spec.tags:
        if not _is_name(tuple(tag.split("/"))):
            yield (
                f"the tag {tag!r} of asset {spec.key.text!r} is not a valid name: letters, digits, "
                "'_', '-', '.' and '/' are allowed.",
                "Rename it.",
            )


def _wrong_owners(spec: AssetSpec) -> Iterator[tuple[str, str]]:
    for owner in spec.owners:
        if "@" not in owner and not owner.startswith("team:"):
            yield (
                f"the owner {owner!r} of asset {spec.key.text!r} is neither an e-mail address "
                "nor a team.",
                f"Write 'team:{owner}' for a team.",
            )


@lru_cache(1024)
def _is_name(parts: tuple[str, ...]) -> bool:
    """Cached, because many assets share few words."""
    return key_problem(AssetKey.unchecked(parts)) is None
