"""`Problem`: one thing wrong with the definitions, and those that an asset has by itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from assetgraph.definitions.asset import is_config_type
from assetgraph.errors import Problem as Problem  # imported from here, too
from assetgraph.keys import AssetKey, key_problem

if TYPE_CHECKING:
    from assetgraph.definitions.asset import Asset


def definition_problems(asset: Asset) -> Iterator[Problem]:
    """What is wrong with one asset, looked at alone."""
    for found in (
        _wrong_options,
        _wrong_key,
        _wrong_parameters,
        _wrong_config,
        _wrong_ins,
        _wrong_words,
    ):
        for message, remedy in found(asset):
            yield Problem(asset.file, asset.line, message, remedy, asset.key.text)


def _wrong_options(asset: Asset) -> Iterator[tuple[str, str]]:
    for message, remedy in asset.mistakes:
        yield f"asset {asset.key.text!r}: {message}.", remedy


def _wrong_key(asset: Asset) -> Iterator[tuple[str, str]]:
    wrong = key_problem(asset.key)
    if wrong:
        yield wrong + ".", "Rename it, or give it a key with key=."


def _wrong_parameters(asset: Asset) -> Iterator[tuple[str, str]]:
    for parameter in asset.parameters:
        if parameter.kind in (parameter.kind.VAR_POSITIONAL, parameter.kind.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.kind.VAR_POSITIONAL else "**"
            yield (
                f"asset {asset.key.text!r} takes {stars}{parameter.name}, which names no upstream.",
                "Name each upstream as a parameter, or list what is not loaded in deps=.",
            )
        elif parameter.kind is parameter.kind.POSITIONAL_ONLY:
            yield (
                f"asset {asset.key.text!r} takes {parameter.name!r} by position only.",
                "Inputs are passed by name: remove the '/'.",
            )


def _wrong_config(asset: Asset) -> Iterator[tuple[str, str]]:
    configs = [p.name for p in asset.parameters if is_config_type(p.annotation)]
    if len(configs) > 1:
        yield (
            f"asset {asset.key.text!r} takes config twice: {' and '.join(configs)}.",
            "Put all fields into one Config class.",
        )


def _wrong_ins(asset: Asset) -> Iterator[tuple[str, str]]:
    names = {p.name for p in asset.parameters}
    for parameter_name in asset.ins:
        if parameter_name not in names:
            yield (
                f"ins= of asset {asset.key.text!r} names {parameter_name!r}, "
                "which is not a parameter of the function.",
                f"Its parameters: {', '.join(sorted(names)) or 'none'}.",
            )


def _wrong_words(asset: Asset) -> Iterator[tuple[str, str]]:
    """Of its group, its tags and its owners."""
    if _is_no_name((asset.group_name,)):
        yield (
            f"the group {asset.group_name!r} of asset {asset.key.text!r} is no name: "
            "letters, digits, '_', '-' and '.' are allowed.",
            "Rename it.",
        )
    for tag in asset.tags:
        if _is_no_name(tuple(tag.split("/"))):
            yield (
                f"the tag {tag!r} of asset {asset.key.text!r} is no name: letters, digits, '_', "
                "'-', '.' and '/' are allowed.",
                "Rename it.",
            )
    for owner in asset.owners:
        if "@" not in owner and not owner.startswith("team:"):
            yield (
                f"the owner {owner!r} of asset {asset.key.text!r} is neither an e-mail address "
                "nor a team.",
                f"Write 'team:{owner}' for a team.",
            )


@lru_cache(1024)
def _is_no_name(parts: tuple[str, ...]) -> bool:
    """Asked of few words, and of each for many assets."""
    return key_problem(AssetKey.unchecked(parts)) is not None
