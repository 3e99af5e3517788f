"""The `@asset` decorator."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FrameType
from typing import Any, TypedDict, Unpack, overload

from assetgraph.definitions.asset import Asset, AssetIn, unchecked_key
from assetgraph.definitions.computation import AssetSpec
from assetgraph.definitions.io_manager import IOManager
from assetgraph.definitions.metadata import metadata_json
from assetgraph.definitions.options import OptionReader
from assetgraph.definitions.registry import current_registry
from assetgraph.definitions.retries import RetryPolicy
from assetgraph.definitions.signature import local_names, plain_function, require_signature
from assetgraph.keys import AssetKey
from assetgraph.text import did_you_mean


class AssetOptions(TypedDict, total=False):
    """The options of `@asset`."""

    name: str | None  # in place of the function's name
    key: str | Sequence[str] | AssetKey | None  # in place of name and prefix
    key_prefix: str | Sequence[str] | None
    deps: Iterable[str | Sequence[str] | AssetKey | Asset] | None  # upstreams that are not loaded
    ins: Mapping[str, AssetIn | str | AssetKey | Asset] | None  # the upstream of a parameter
    group_name: str | None  # "default" unless given
    description: str | None  # the docstring unless given
    tags: Mapping[str, str] | None
    owners: Sequence[str] | None  # e-mail addresses, or "team:name"
    kinds: Iterable[str] | None  # what it is made with or of: "parquet"
    metadata: Mapping[str, Any] | None
    code_version: str | None  # in place of the hash of the code
    io_manager: IOManager | None  # stores and loads the value, in place of the value store
    retry_policy: RetryPolicy | None  # whether and when a failed step runs again
    # In seconds. A step that runs longer fails. A process is killed; a thread is abandoned.
    timeout: float | None
    pool: str | None  # a pool limits how many of its assets run at once
    # Hints for the executor: {"dagster-dask/resource_requirements": {"GPU": 1}} asks for a Dask
    # worker that has a GPU.
    op_tags: Mapping[str, Any] | None


@overload
def asset(function: Callable[..., Any], /) -> Asset: ...


@overload
def asset(**options: Unpack[AssetOptions]) -> Callable[[Callable[..., Any]], Asset]: ...


def asset(
    function: Callable[..., Any] | None = None, /, **options: Unpack[AssetOptions]
) -> Asset | Callable[[Callable[..., Any]], Asset]:
    """Declare that a function makes an asset.

        @asset
        def trips(raw_trips): ...

    A parameter names its upstream: the asset of that name under the same prefix, else without a
    prefix, else the only asset whose key ends in that name. A parameter annotated with a `Config`
    class takes config. One named `context`, or annotated with `AssetExecutionContext`, takes the
    context. One with a default keeps its default. `AssetOptions` describes the options.

    The graph reports every wrong option and definition at once, when it is built. Raises
    `TypeError` for an unknown option, and for an object that is not a function.
    """
    unknown = options.keys() - AssetOptions.__annotations__.keys()
    if unknown:
        raise TypeError(_unknown_option(min(unknown)))
    caller = sys._getframe(1)
    if function is not None:
        return _make_asset(function, options, caller)
    return lambda function: _make_asset(function, options, caller)


def _signature() -> inspect.Signature:
    """The options as keywords of their own, for `help()` and for notebooks."""
    function = inspect.Parameter("function", inspect.Parameter.POSITIONAL_ONLY, default=None)
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind.__forward_arg__
        )
        for name, kind in AssetOptions.__annotations__.items()
    ]
    return inspect.Signature([function, *options])


vars(asset)["__signature__"] = _signature()


def _unknown_option(name: str) -> str:
    guess = did_you_mean(name, AssetOptions.__annotations__)
    return f"@asset has no option {name!r}.{' ' + guess if guess else ''}"


def _make_asset(function: Callable[..., Any], options: AssetOptions, caller: FrameType) -> Asset:
    """Raises `TypeError` for an object that is not a function."""
    _require_function(function)
    read = OptionReader()
    spec = _spec(function, options, read)
    made = Asset(
        name=spec.key.text,
        function=function,
        specs=(spec,),
        ins=_ins(read, options.get("ins")),
        code_version=read.text("code_version", options.get("code_version")),
        retry_policy=read.policy(options.get("retry_policy")),
        timeout=read.seconds("timeout", options.get("timeout")),
        pool=read.text("pool", options.get("pool")),
        op_tags=read.mapping("op_tags", options.get("op_tags")),
        module=caller.f_globals.get("__name__", ""),
        mistakes=tuple(read.mistakes),
        local_names=local_names(function, caller),
    )
    current_registry().add(made)
    return made


def _require_function(function: Any) -> None:
    if isinstance(function, Asset):
        raise TypeError(f"{function!r} is already an asset: use @asset only once")
    if isinstance(function, type):
        raise TypeError(f"@asset decorates a function, not the class {function.__name__}")
    if not callable(function):
        raise TypeError(f"@asset decorates a function, not a {type(function).__name__}")
    require_signature(function)


def _spec(function: Callable[..., Any], options: AssetOptions, read: OptionReader) -> AssetSpec:
    tags = read.mapping("tags", options.get("tags"))
    metadata = read.mapping("metadata", options.get("metadata"))
    return AssetSpec(
        key=_key(function, options, read),
        deps=_deps(read, options.get("deps")),
        group_name=read.text("group_name", options.get("group_name")) or "default",
        description=read.text("description", options.get("description")) or _docstring(function),
        tags={name: str(value) for name, value in tags.items()},
        owners=tuple(read.texts("owners", options.get("owners"))),
        kinds=frozenset(read.texts("kinds", options.get("kinds"))),
        metadata=read.read("metadata", metadata_json, metadata) or {},
        io_manager=read.manager(options.get("io_manager")),
    )


def _key(function: Callable[..., Any], options: AssetOptions, read: OptionReader) -> AssetKey:
    key, name, key_prefix = (options.get(option) for option in ("key", "name", "key_prefix"))
    if key is not None and (name is not None or key_prefix is not None):
        read.note("key= replaces name= and key_prefix=", "Give key= alone, or the other two.")
    whole = None if key is None else read.read("key", unchecked_key, key)
    if whole is not None:
        return whole
    prefix = read.read("key_prefix", unchecked_key, key_prefix) if key_prefix else None
    last = read.text("name", name)
    if last is None:
        last = _function_name(function, read)
    return AssetKey.unchecked([*(prefix.parts if prefix else ()), last])


def _function_name(function: Callable[..., Any], read: OptionReader) -> str:
    bottom = plain_function(function)
    if bottom is not None and bottom.__name__ != "__call__":
        return bottom.__name__
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):  # a callable object: all of its class would share a key
        name = type(function).__name__
        read.note(f"a {name} has no name to use as the asset's name", "Give it one with name=.")
    return name


def _deps(read: OptionReader, given: Any) -> tuple[AssetKey, ...]:
    keys = [read.read("deps", unchecked_key, dep) for dep in read.listed("deps", given)]
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _ins(read: OptionReader, given: Any) -> dict[str, AssetKey]:
    keys = {
        parameter: read.read("ins", _input_key, parameter, one)
        for parameter, one in read.mapping("ins", given).items()
    }
    return {parameter: key for parameter, key in keys.items() if key is not None}


def _input_key(parameter: str, given: AssetIn | str | AssetKey | Asset) -> AssetKey:
    return given.resolve(parameter) if isinstance(given, AssetIn) else unchecked_key(given)


def _docstring(function: Callable[..., Any]) -> str | None:
    bottom = plain_function(function)
    return inspect.cleandoc(bottom.__doc__) if bottom and bottom.__doc__ else None
