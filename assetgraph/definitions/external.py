"""Assets that something else makes: a file, a table of another system, whatever a person names.

They are upstreams like any other, and never run. What is known of their data comes from a look at
the source (`source_file`), from an observation (`@observable_source_asset`), or from a report.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack, overload

from assetgraph.definitions.annotations import EMPTY, described
from assetgraph.definitions.asset import Asset
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.decorator import AssetOptions, asset_of, read_spec
from assetgraph.definitions.option_reader import OptionReader
from assetgraph.definitions.registry import current_registry
from assetgraph.definitions.signature import Parameter
from assetgraph.errors import AssetGraphError, NoValueError
from assetgraph.keys import AssetKey

KeyText = str | Sequence[str] | AssetKey
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CODE_VERSION = "external"  # no code of the project makes them


@dataclass(frozen=True, slots=True)
class DataVersion:
    """A version of data: it differs if the data differs. An `@observable_source_asset` returns
    it."""

    value: str


@dataclass(frozen=True, slots=True)
class ObserveResult:
    """What an `@observable_source_asset` found: a `DataVersion`, and metadata to record with it."""

    data_version: DataVersion
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class ExternalAsset(Asset):
    """An asset that something else makes. A run passes it over.

    `source` is the path, the pattern or the address of a file that is its data. `observes` says
    that its function finds the data's version. `is_stored` says that the store has a value of it,
    made where it is defined.
    """

    source: str | None = None
    observes: bool = False
    is_stored: bool = False
    place_given: tuple[str, int] = ("<unknown>", 0)

    is_external = True

    @property
    def file(self) -> str:
        return self.place_given[0]

    @property
    def line(self) -> int:
        return self.place_given[1]

    @property
    def inputs(self) -> tuple[Parameter, ...]:  # it reads none
        return ()

    @property
    def returns(self) -> Any:
        """The type of what a parameter gets."""
        if self.source is None or is_address(self.source):
            return EMPTY
        return list[Path] if is_pattern(self.source) else Path

    @property
    def has_value(self) -> bool:
        """Whether a parameter can load it."""
        return self.source is not None or self.is_stored or self.io_manager is not None


def external_asset(spec: AssetSpec, module: str = "") -> ExternalAsset:
    """The external asset that `spec` declares, as a variable of `module` if given. Wrong options
    become mistakes, which the graph reports."""
    names = [name for name in spec.__struct_fields__ if name != "key"]
    options = {name: getattr(spec, name) for name in names}
    given = {
        name: value for name, value in options.items() if value not in (None, (), {}, "", False)
    }
    return _external(spec.key, given, module=module)


def stored_asset(key: AssetKey) -> ExternalAsset:
    """An asset of which only the value in the store is known."""
    return _external(key, {}, is_stored=True)


def source_file(path: str | Path, *, key: KeyText | None = None, **options: Any) -> ExternalAsset:
    """Declare a file that something else writes, or a folder, or every file of a pattern.

        customers = source_file("data/customers.csv")

        @asset
        def totals(customers: Path): ...

    Its data version is that of the content, which is read again only when the file's stamp is
    another: what reads it is stale when the content changes. A relative path begins at the
    project's folder. A parameter gets the `Path`; for a pattern such as "data/*.csv", the sorted
    list of paths; and for an object, such as "s3://bucket/orders.parquet", its address as text.

    `key` is the file's name without its ending unless given. `options` are those of `AssetSpec`.
    """
    text = str(path)
    options = {name: value for name, value in options.items() if value is not None}
    made = _external(_key_of(text) if key is None else key, options, source=text)
    current_registry().add(made)
    return made


@overload
def observable_source_asset(function: Callable[..., Any], /) -> ExternalAsset: ...


@overload
def observable_source_asset(
    **options: Unpack[AssetOptions],
) -> Callable[[Callable[..., Any]], ExternalAsset]: ...


def observable_source_asset(
    function: Callable[..., Any] | None = None, /, **options: Unpack[AssetOptions]
) -> ExternalAsset | Callable[[Callable[..., Any]], ExternalAsset]:
    """Declare an asset that something else makes, by a function that says which version it has.

        @observable_source_asset
        def orders():
            return DataVersion(etag_of("https://…/orders.csv"))

    `assetgraph observe` calls the function, and so does `materialize --stale`, first. What reads
    the asset is stale when the version is another. The function may take the `context`. `options`
    are those of `AssetSpec`, and `name`, `key` and `key_prefix`.

    Raises `TypeError` for an object that is not a function.
    """
    caller = sys._getframe(1)
    if function is None:
        return lambda given: _observable(given, options, caller)
    return _observable(function, options, caller)


def observed(external: ExternalAsset, returned: object) -> ObserveResult:
    """What the function of an observable asset returned. Raises `AssetGraphError`."""
    if isinstance(returned, DataVersion):
        returned = ObserveResult(returned)
    if not isinstance(returned, ObserveResult) or not isinstance(
        returned.data_version, DataVersion
    ):
        raise AssetGraphError(
            f"the observation of {external.key.text!r} returned {described(returned)}.",
            hint='Return DataVersion("…"), or an ObserveResult with one.',
        )
    return returned


def is_pattern(source: str) -> bool:
    return not is_address(source) and any(sign in source for sign in "*?[")


def is_address(source: str) -> bool:
    return _URL.match(source) is not None


def _observable(function: Callable[..., Any], options: AssetOptions, caller: Any) -> ExternalAsset:
    made = asset_of(function, options, caller)
    mistakes = list(made.mistakes)
    others = [p.name for p in made.parameters if p.name != made.context_parameter]
    if any(not p.has_default for p in made.parameters if p.name in others):
        mistakes.append(
            (
                f"an observation takes no {others[0]!r}: it has no upstream",
                "Take only the context, or give the parameter a default.",
            )
        )
    fields = {name: getattr(made, name) for name in made.__dataclass_fields__}
    fields |= {"mistakes": tuple(mistakes), "code_version": _CODE_VERSION}
    external = ExternalAsset(**fields, observes=True, place_given=(made.file, made.line))
    current_registry().add(external)
    return external


def _external(
    key: KeyText,
    options: Mapping[str, Any],
    *,
    source: str | None = None,
    is_stored: bool = False,
    module: str = "",
) -> ExternalAsset:
    read = OptionReader()
    file, line, module = _place_in(module) if module else _place()
    spec = read_spec(key, options, read)
    text = spec.key.text

    def function() -> Any:
        raise NoValueError(f"something else makes {text!r}: it cannot be called.")

    return ExternalAsset(
        name=text,
        function=function,
        specs=(spec,),
        code_version=_CODE_VERSION,
        module=module,
        mistakes=tuple(read.mistakes),
        source=source,
        is_stored=is_stored,
        place_given=(file, line),
    )


def _key_of(source: str) -> str:
    """A key for a file: its name without the ending, or for a pattern that of its folder."""
    parts = [part for part in re.split(r"[/\\]", source) if part not in ("", ".", "..")]
    plain = [part for part in parts if not any(sign in part for sign in "*?[")]
    last = plain[-1] if plain else ""
    name = last if len(plain) < len(parts) else last.partition(".")[0] or last.lstrip(".")
    return re.sub(r"\W+", "_", name).strip("_")


def _place_in(module: str) -> tuple[str, int, str]:
    file = getattr(sys.modules.get(module), "__file__", None)
    return file or "<unknown>", 1, module


def _place() -> tuple[str, int, str]:
    """The file, line and module of the code outside this package that declares an asset."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] != "assetgraph":
            return frame.f_code.co_filename, frame.f_lineno, module
        frame = frame.f_back
    return "<unknown>", 0, ""
