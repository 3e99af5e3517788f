"""`Connections`: resolves the upstreams that parameters and `deps=` name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from assetgraph.definitions.annotations import table_kind
from assetgraph.errors import Problem
from assetgraph.keys import AssetKey
from assetgraph.text import did_you_mean

if TYPE_CHECKING:
    from assetgraph.definitions.computation import AssetSpec, Computation
    from assetgraph.definitions.signature import Parameter


class Connections:
    """Resolves names to the assets of a graph. `problems` collects the names that fail."""

    def __init__(self, assets: Mapping[AssetKey, AssetSpec]) -> None:
        self.problems: list[Problem] = []
        self._assets = assets
        self._by_parts = {key.parts: key for key in assets}
        self._by_name: dict[str, list[AssetKey]] = {}
        for key in assets:
            self._by_name.setdefault(key.parts[-1], []).append(key)
        self._guesses: dict[str, str | None] = {}

    def inputs(self, computation: Computation) -> dict[str, AssetKey]:
        """The upstream that each parameter loads, without parameters that do not resolve."""
        own = [spec.key for spec in computation.specs]
        if not computation.inputs:
            return {}
        prefix = _shared_prefix(own)
        prefixes = (prefix, ()) if prefix else ((),)
        found: dict[str, AssetKey] = {}
        for parameter in computation.inputs:
            if not prefix and not computation.ins:  # as for most: see `_upstream`
                key = self._by_parts.get((parameter.name,))
                if key is not None and key not in own:
                    found[parameter.name] = key
                    continue
            upstream = self._upstream(computation, parameter, own, prefixes)
            if upstream is not None:
                found[parameter.name] = upstream
        return found

    def deps(self, computation: Computation, spec: AssetSpec) -> list[AssetKey]:
        """The upstreams in the spec's `deps=`, without those that nothing defines."""
        found = []
        for dep in spec.deps:
            if dep in self._assets:
                found.append(dep)
            elif dep is getattr(spec, "checks", None):
                self._unknown(computation, dep.text, "its asset")
            else:
                elsewhere = f'AssetSpec("{dep.text}")'
                remedy = f"Define it with @asset, or, if something else makes it, with {elsewhere}."
                guess = self._guess(dep.text, computation)
                self._unknown(computation, dep.text, "deps=", guess or remedy)
        return found

    def _upstream(
        self,
        computation: Computation,
        parameter: Parameter,
        own: Sequence[AssetKey],
        prefixes: Iterable[tuple[str, ...]],
    ) -> AssetKey | None:
        name = parameter.name
        given = computation.ins.get(name)
        if given is not None:
            if given in self._assets:
                return given
            self._unknown(
                computation, given.text, "its asset" if _is_checked(computation, given) else "ins="
            )
            return None
        for prefix in prefixes:
            key = self._by_parts.get((*prefix, name))
            if key is not None and key not in own:
                return key
        same_name = self._by_name.get(name, [])
        candidates = [key for key in same_name if key not in own]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            self._ambiguous(computation, name, candidates)
        elif same_name:
            return same_name[0]  # itself: reported as a cycle
        else:
            self._unknown_parameter(computation, parameter)
        return None

    def _ambiguous(self, computation: Computation, name: str, candidates: list[AssetKey]) -> None:
        listing = ", ".join(key.text for key in candidates)
        self._note(
            computation,
            f"parameter {name!r} of {computation.label} could be any of: {listing}.",
            f"Say which: ins={{{name!r}: {candidates[0].text!r}}}.",
        )

    def _unknown_parameter(self, computation: Computation, parameter: Parameter) -> None:
        name, annotation = parameter.name, parameter.annotation
        if name == "config" and isinstance(annotation, str):
            self._note(
                computation,
                f"parameter 'config' of {computation.label} is annotated `{annotation}`, "
                "a name that its module does not define.",
                "Define or import the Config class at module level, and not only for type "
                "checking.",
            )
        elif name == "config":
            remedy = (
                "If it takes config, annotate it with a subclass of Config, a pydantic model or a "
                "dataclass."
            )
            self._unknown(computation, name, "a parameter", remedy)
        else:
            remedy = "Define it with @asset, or give the parameter a default if it is not an asset."
            if isinstance(annotation, str) and table_kind(annotation) is None:
                remedy += (
                    f" If `{annotation}` is a Config class, define or import it at module level: "
                    "its module does not define that name."
                )
            elif hasattr(annotation, "model_fields") or hasattr(annotation, "__dataclass_fields__"):
                remedy += " If it takes config, call it `config`."
            self._unknown(
                computation, name, "a parameter", self._guess(name, computation) or remedy
            )

    def _unknown(
        self, computation: Computation, wanted: str, how: str, remedy: str | None = None
    ) -> None:
        remedy = remedy or self._guess(wanted, computation) or "Define it with @asset."
        message = f"{computation.label} needs {wanted!r} ({how}), which nothing defines."
        self._note(computation, message, remedy, is_unknown_upstream=True)

    def _guess(self, wanted: str, computation: Computation) -> str | None:
        """A hint with the assets that `wanted` may mean.

        Cached by name, because many assets may name the same missing upstream.
        """
        if wanted not in self._guesses:
            self._guesses[wanted] = did_you_mean(wanted, (key.text for key in self._assets))
        guess = self._guesses[wanted]
        own = {spec.key.text for spec in computation.specs}
        if guess is None or not any(repr(text) in guess for text in own):
            return guess
        return did_you_mean(wanted, (key.text for key in self._assets if key.text not in own))

    def _note(
        self,
        computation: Computation,
        message: str,
        remedy: str,
        *,
        is_unknown_upstream: bool = False,
    ) -> None:
        where = computation.file, computation.line
        name = computation.specs[0].key.text
        self.problems.append(Problem(*where, message, remedy, name, is_unknown_upstream))


def _shared_prefix(keys: Sequence[AssetKey]) -> tuple[str, ...]:
    prefix = keys[0].parts[:-1]
    if len(keys) == 1:
        return prefix
    return prefix if all(key.parts[:-1] == prefix for key in keys) else ()


def _is_checked(computation: Computation, key: AssetKey) -> bool:
    """Whether the computation is of checks, and one is of the asset `key`."""
    return any(getattr(spec, "checks", None) is key for spec in computation.specs)
