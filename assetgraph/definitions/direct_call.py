"""What calling an asset does, as a test calls it: the arguments and the result are checked as in a
run, and nothing is recorded."""

from __future__ import annotations

import inspect
import typing
from collections import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from assetgraph.definitions.annotations import EMPTY, annotation_text
from assetgraph.definitions.deep_types import misfit, require_result
from assetgraph.errors import ConfigError, InvocationError, ValueTypeError
from assetgraph.text import did_you_mean, listed

if TYPE_CHECKING:
    from assetgraph.definitions.signature import Parameter
    from assetgraph.keys import AssetKey

_STREAMS = (abc.Iterator, abc.Iterable, abc.Generator)


class Called(Protocol):
    """What is used of a `Computation`."""

    @property
    def name(self) -> str: ...
    @property
    def function(self) -> Callable[..., Any]: ...
    @property
    def specs(self) -> Sequence[Any]: ...
    @property
    def parameters(self) -> Sequence[Parameter]: ...
    @property
    def returns(self) -> Any: ...
    @property
    def context_parameter(self) -> str | None: ...
    @property
    def config_parameter(self) -> Parameter | None: ...
    @property
    def inputs(self) -> Sequence[Parameter]: ...
    @property
    def output_names(self) -> Mapping[str, AssetKey]: ...


def call(called: Called, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """The result of the function. An async function gives a coroutine, and a generator function a
    generator.

    Raises `InvocationError` for arguments that are missing or too many, and `ValueTypeError` for an
    input or a result that contradicts its annotation.
    """
    arguments = _arguments(called, given, named)
    context = arguments.get(called.context_parameter or "")
    bind = getattr(context, "bind", None)
    if bind is not None:
        keys = [getattr(spec, "checks", spec.key) for spec in called.specs]
        partitions_def = called.specs[0].partitions_def
        bind(keys, called.output_names, [one.name for one in called.inputs], partitions_def)
    for parameter in called.inputs:
        if parameter.annotation is not EMPTY and parameter.name in arguments:
            _check_input(called, parameter, arguments[parameter.name])
    returned = called.function(**arguments)
    if inspect.iscoroutine(returned):
        return _awaited(called, returned)
    if inspect.isgenerator(returned):
        return _yielded(called, returned)
    _check_result(called, returned, called.returns)
    return returned


def _arguments(called: Called, given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by parameter."""
    from assetgraph.definitions.context import AssetExecutionContext

    names = [parameter.name for parameter in called.parameters]
    arguments = dict(named)
    context: Any = arguments.get(called.context_parameter or "")
    if given and isinstance(given[0], AssetExecutionContext):
        context = given[0]
        if called.context_parameter is None:
            given = given[1:]  # the function does without
    if len(given) > len(names):
        raise _too_many(called, names)
    for name, value in zip(names, given, strict=False):
        if name in arguments:
            raise InvocationError(f"{called.name!r} is called with two values for {name!r}.")
        arguments[name] = value
    for name in arguments:
        if name not in names:
            raise _unknown(called, name, names)
    if called.context_parameter is not None:
        _check_context(called, arguments)
    if called.config_parameter is not None:
        _fill_config(called, called.config_parameter, arguments)
    resources = getattr(context, "given_resources", {})
    for parameter in called.parameters:
        if parameter.name not in arguments and parameter.name in resources:
            arguments[parameter.name] = resources[parameter.name]
        if parameter.name not in arguments and not parameter.has_default:
            raise InvocationError(
                f"{called.name!r} is called without {parameter.name!r}.",
                hint=f"Pass it, as in: {_example(called, names)}",
            )
    return arguments


def _example(called: Called, names: Sequence[str]) -> str:
    name = called.name.rpartition("/")[2]
    shown = [f"{one}=…" if one != called.context_parameter else "context" for one in names]
    return f"{name}({', '.join(shown)})"


def _too_many(called: Called, names: Sequence[str]) -> InvocationError:
    takes = f"it takes {listed(names)}" if names else "it takes none"
    deps = _deps_hint(called)
    return InvocationError(f"{called.name!r} is called with too many values: {takes}.", hint=deps)


def _unknown(called: Called, name: str, names: Sequence[str]) -> InvocationError:
    is_dep = any(name in (dep.name, dep.text) for spec in called.specs for dep in spec.deps)
    return InvocationError(
        f"{called.name!r} takes no {name!r}.",
        hint=_deps_hint(called) if is_dep else did_you_mean(name, names),
    )


def _deps_hint(called: Called) -> str | None:
    deps = [dep.text for spec in called.specs for dep in spec.deps]
    if not deps:
        return None
    return f"What is in deps= ({', '.join(deps)}) is not loaded: pass no value for it."


def _check_context(called: Called, arguments: dict[str, Any]) -> None:
    """See that the context is one; None makes one."""
    name = called.context_parameter or ""
    hint = f"Build one for the test: {name} = build_asset_context()"
    if name not in arguments:
        raise InvocationError(f"{called.name!r} is called without its {name}.", hint=hint)
    if arguments[name] is None:
        from assetgraph.definitions.built_context import build_asset_context

        arguments[name] = build_asset_context()
    elif not hasattr(arguments[name], "log"):  # it may be a mock
        kind = type(arguments[name]).__name__
        raise InvocationError(
            f"{called.name!r} gets a value of the type {kind} as its {name}.", hint=hint
        )


def _fill_config(called: Called, parameter: Parameter, arguments: dict[str, Any]) -> None:
    """Make config of a mapping, or of nothing if all its fields have defaults."""
    if parameter.name not in arguments and parameter.has_default:
        return
    given = arguments.get(parameter.name, {})
    if not isinstance(given, Mapping):
        if isinstance(given, parameter.annotation):
            from assetgraph.definitions.config_values import with_variables_read

            arguments[parameter.name] = with_variables_read(given, called.name)
            return
        raise InvocationError(
            f"{called.name!r} gets a value of the type {type(given).__name__} as its "
            f"{parameter.name}.",
            hint=f"Pass a {parameter.annotation.__name__}.",
        )
    from assetgraph.definitions.config_values import build_config

    try:
        arguments[parameter.name] = build_config(parameter.annotation, given, called.name)
    except ConfigError as error:
        if parameter.name in arguments:
            raise
        raise InvocationError(
            f"{called.name!r} is called without {parameter.name!r}: {error.message}",
            hint=f"Pass a {parameter.annotation.__name__}.",
        ) from None


def _check_input(called: Called, parameter: Parameter, value: Any) -> None:
    wrong = misfit(parameter.annotation, value, parameter.name)
    if wrong:
        raise ValueTypeError(
            f"parameter {parameter.name!r} of {called.name!r} is annotated "
            f"`{annotation_text(parameter.annotation)}`, but {wrong}.",
            hint="Pass what the annotation says, or change the annotation.",
        )


def _check_result(called: Called, returned: Any, wanted: Any) -> None:
    is_verdict = type(returned).__name__ == "AssetCheckResult"
    if len(called.specs) == 1 and wanted is not EMPTY and not is_verdict:
        require_result(called.name, returned, wanted)


async def _awaited(called: Called, coroutine: Any) -> Any:
    returned = await coroutine
    _check_result(called, returned, called.returns)
    return returned


def _yielded(called: Called, generator: Iterator[Any]) -> Iterator[Any]:
    """What a generator function yields, each checked when it comes."""
    wanted = called.returns
    is_stream = typing.get_origin(wanted) in _STREAMS
    if not is_stream:
        _check_result(called, generator, wanted)
    one = typing.get_args(wanted)[0] if is_stream else EMPTY
    for value in generator:
        _check_result(called, value, one)
        yield value
