"""`Asset`, and the `@asset` decorator that makes one."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import FrameType, FunctionType
from typing import Any, NamedTuple, overload

from assetgraph.definitions.annotations import EMPTY
from assetgraph.definitions.config import Config
from assetgraph.definitions.io_manager import IOManager
from assetgraph.definitions.metadata import metadata_json
from assetgraph.definitions.options import OptionReader
from assetgraph.definitions.registry import current_registry
from assetgraph.definitions.retries import RetryPolicy
from assetgraph.keys import AssetKey
from assetgraph.text import place_text

_NAME = re.compile(r"[^\W\d]\w*")
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class AssetIn:
    """Which upstream a parameter reads: `key`, or the parameter's name under `key_prefix`."""

    key: str | AssetKey | None = None
    key_prefix: str | Sequence[str] | None = None

    def resolve(self, parameter: str) -> AssetKey:
        key = _as_key(self.key) if self.key is not None else AssetKey(parameter)
        return key.with_prefix(self.key_prefix) if self.key_prefix else key


class Parameter(NamedTuple):
    """A parameter of an asset's function. `annotation` is an object, or text that was not
    resolvable (a name imported for type checking only), or `EMPTY`."""

    name: str
    annotation: Any
    has_default: bool
    kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD


@dataclass(frozen=True, eq=False)
class Asset:
    """A function with what is known of the asset that it makes. Calling it calls the function.

    `deps` are upstreams that are not loaded; `ins` says which upstream a parameter reads, where
    its name does not. `timeout` is in seconds. `module` is where it was decorated. `mistakes` are
    the options that were left out since they are wrong: what is wrong, and a remedy. `local_names`
    are what its annotations name of the function that it is defined in.
    """

    key: AssetKey
    function: Callable[..., Any]
    deps: tuple[AssetKey, ...] = ()
    ins: Mapping[str, AssetKey] = field(default_factory=dict)
    group_name: str = "default"
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    code_version: str | None = None
    io_manager: IOManager | None = None
    retry_policy: RetryPolicy | None = None
    timeout: float | None = None
    pool: str | None = None
    op_tags: Mapping[str, Any] = field(default_factory=dict)
    module: str = ""
    mistakes: tuple[tuple[str, str], ...] = ()
    local_names: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # On the instance: a property would hide the docstring of the class.
        object.__setattr__(self, "__doc__", self.function.__doc__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Asset {self.key.text} at {self.place}>"

    def __getstate__(self) -> dict[str, Any]:
        """With the annotations as objects: a function that travels by value leaves behind the
        names that only its annotations use."""
        fields = {name: self.__dict__[name] for name in self.__dataclass_fields__}
        fields["local_names"] = {}
        return {**fields, "parameters": self.parameters, "returns": self.returns}

    @property
    def __name__(self) -> str:
        return self.key.name

    @property
    def __wrapped__(self) -> Callable[..., Any]:
        return self.function

    @cached_property
    def plain_function(self) -> FunctionType | None:
        """The function at the bottom of partials and wrappers, or None for a callable object."""
        return plain_function(self.function)

    @property
    def file(self) -> str:
        code = self.plain_function
        return code.__code__.co_filename if code else "<unknown>"

    @property
    def line(self) -> int:
        code = self.plain_function
        return code.__code__.co_firstlineno if code else 0

    @property
    def place(self) -> str:
        return place_text(self.file, self.line)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters, annotations resolved where their names can be."""
        written = self._signature[0]
        as_text = [p.name for p in written if isinstance(p.annotation, str)]
        if not as_text:
            return written
        return tuple(
            p._replace(annotation=self._resolved(p.annotation)) if p.name in as_text else p
            for p in written
        )

    @cached_property
    def returns(self) -> Any:
        """The return annotation, resolved where its names can be, or `EMPTY`."""
        annotation = self._signature[1]
        return self._resolved(annotation) if isinstance(annotation, str) else annotation

    @cached_property
    def _signature(self) -> tuple[tuple[Parameter, ...], Any]:
        """The parameters and the return annotation as they are written."""
        return _simple_signature(self.function) or _full_signature(self.function)

    def _resolved(self, annotation: str) -> Any:
        """What an annotation that is text names, or the text where it names nothing."""
        names = getattr(self.plain_function, "__globals__", {})
        try:
            return eval(annotation, {**names, **self.local_names})
        except Exception:
            return annotation

    @cached_property
    def context_parameter(self) -> str | None:
        for parameter in self.parameters:
            if _is_context(parameter):
                return parameter.name
        return None

    @cached_property
    def config_parameter(self) -> Parameter | None:
        """The parameter that takes the config: known by its annotation, a subclass of `Config`."""
        for parameter in self.parameters:
            if is_config_type(parameter.annotation):
                return parameter
        return None

    @property
    def config_type(self) -> type[Config] | None:
        return self.config_parameter.annotation if self.config_parameter else None

    @cached_property
    def inputs(self) -> tuple[Parameter, ...]:
        """The parameters that name an upstream: neither context nor config, and without a default
        unless `ins` or `deps` names it."""
        named = set(self.ins)
        if self.deps:
            named.update(dep.name for dep in self.deps)
        context = self.context_parameter
        found = [
            p
            for p in self.parameters
            if p.name != context
            and not is_config_type(p.annotation)
            and p.kind in _BY_NAME
            and (not p.has_default or p.name in named)
        ]
        return tuple(found)


@overload
def asset(function: Callable[..., Any], /) -> Asset: ...


@overload
def asset(
    *,
    name: str | None = None,
    key: str | Sequence[str] | AssetKey | None = None,
    key_prefix: str | Sequence[str] | None = None,
    deps: Iterable[str | Sequence[str] | AssetKey | Asset] | None = None,
    ins: Mapping[str, AssetIn | str | AssetKey | Asset] | None = None,
    group_name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    kinds: Iterable[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    code_version: str | None = None,
    io_manager: IOManager | None = None,
    retry_policy: RetryPolicy | None = None,
    timeout: float | None = None,
    pool: str | None = None,
    op_tags: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], Asset]: ...


def asset(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    key: str | Sequence[str] | AssetKey | None = None,
    key_prefix: str | Sequence[str] | None = None,
    deps: Iterable[str | Sequence[str] | AssetKey | Asset] | None = None,
    ins: Mapping[str, AssetIn | str | AssetKey | Asset] | None = None,
    group_name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    owners: Sequence[str] | None = None,
    kinds: Iterable[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    code_version: str | None = None,
    io_manager: IOManager | None = None,
    retry_policy: RetryPolicy | None = None,
    timeout: float | None = None,
    pool: str | None = None,
    op_tags: Mapping[str, Any] | None = None,
) -> Asset | Callable[[Callable[..., Any]], Asset]:
    """Declare that a function makes an asset, named after the function.

        @asset
        def trips(raw_trips): ...

    A parameter names its upstream: the asset of that name under the same prefix, else without a
    prefix, else the only asset whose key ends in it. A parameter annotated with a `Config` class
    takes config, one named `context` or annotated with `AssetExecutionContext` the context, and
    one with a default keeps its default. `deps` names upstreams that are not loaded; `ins` names
    the upstream of a parameter. `key` replaces name and prefix. The description is the docstring
    unless given. `code_version` replaces the hash of the code, `io_manager` the way values are
    stored. `kinds` says what it is made with or of ("parquet"); an owner is an e-mail address or
    `team:name`.

    A step that fails runs again as `retry_policy` says. One that runs longer than `timeout` seconds
    fails; in a process of its own it is ended, in a thread it is given up. Of the assets of one
    `pool` no more run at once than the project allows. `op_tags` are hints for where it runs:
    `{"dagster-dask/resource_requirements": {"GPU": 1}}` asks for a Dask worker that has one.

    What is wrong with an option or a definition is reported with everything else that is, when
    the graph is built. Raises `TypeError` for an option that there is not, and for what is no
    function.
    """

    def decorate(function: Callable[..., Any]) -> Asset:
        if isinstance(function, Asset):
            raise TypeError(f"{function!r} is an asset already: use @asset once")
        if isinstance(function, type):
            raise TypeError(f"@asset decorates a function, not the class {function.__name__}")
        if not callable(function):
            raise TypeError(f"@asset decorates a function, not a {type(function).__name__}")
        if plain_function(function) is None:
            _require_signature(function)
        read = OptionReader()
        made = Asset(
            key=_key_of(function, read, name, key, key_prefix),
            function=function,
            deps=_deps(read, deps),
            ins=_ins(read, ins),
            group_name=read.text("group_name", group_name) or "default",
            description=read.text("description", description) or _description(function),
            tags={name: str(value) for name, value in read.mapping("tags", tags).items()},
            owners=tuple(read.texts("owners", owners)),
            kinds=frozenset(read.texts("kinds", kinds)),
            metadata=read.read("metadata", metadata_json, read.mapping("metadata", metadata)) or {},
            code_version=read.text("code_version", code_version),
            io_manager=read.manager(io_manager),
            retry_policy=read.policy(retry_policy),
            timeout=read.seconds("timeout", timeout),
            pool=read.text("pool", pool),
            op_tags=read.mapping("op_tags", op_tags),
            module=caller.f_globals.get("__name__", ""),
            mistakes=tuple(read.mistakes),
            local_names=_local_names(function, caller),
        )
        current_registry().add(made)
        return made

    caller = sys._getframe(1)
    return decorate if function is None else decorate(function)


def _require_signature(function: Callable[..., Any]) -> None:
    try:
        inspect.signature(function)
    except ValueError:
        raise TypeError(
            f"{function!r} does not say which parameters it takes: call it in a function of yours"
        ) from None


def plain_function(function: Any) -> FunctionType | None:
    """The function at the bottom of partials, methods and wrappers."""
    while not isinstance(function, FunctionType):
        if isinstance(function, partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif hasattr(function, "__func__"):
            function = function.__func__
        elif isinstance(getattr(type(function), "__call__", None), FunctionType):  # noqa: B004
            function = type(function).__call__
        else:
            return None
    bottom: FunctionType = inspect.unwrap(function)
    return bottom


def _local_names(function: Callable[..., Any], caller: FrameType) -> dict[str, Any]:
    """What annotations written as text name of the function whose frame is `caller`: its classes
    and imports are in no globals, and a function holds of them only what its body names."""
    if caller.f_code.co_name == "<module>":
        return {}
    annotations = getattr(plain_function(function), "__annotations__", {}).values()
    texts = [annotation for annotation in annotations if isinstance(annotation, str)]
    known = caller.f_locals
    return {name: known[name] for name in _NAME.findall(" ".join(texts)) if name in known}


def is_config_type(annotation: Any) -> bool:
    return (
        annotation is not EMPTY and isinstance(annotation, type) and issubclass(annotation, Config)
    )


def _simple_signature(function: Callable[..., Any]) -> tuple[tuple[Parameter, ...], Any] | None:
    """The signature of a plain function, which wraps nothing and claims no other, with parameters
    of the common kind: read from its code, at a fifth of the cost of `inspect`."""
    if type(function) is not FunctionType or function.__dict__:
        return None
    code = function.__code__
    if (
        code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
        or code.co_kwonlyargcount
        or code.co_posonlyargcount
    ):
        return None
    annotations = function.__annotations__
    required = code.co_argcount - len(function.__defaults__ or ())
    names = code.co_varnames[: code.co_argcount]
    parameters = [
        Parameter(name, annotations.get(name, EMPTY), position >= required)
        for position, name in enumerate(names)
    ]
    return tuple(parameters), annotations.get("return", EMPTY)


def _full_signature(function: Callable[..., Any]) -> tuple[tuple[Parameter, ...], Any]:
    signature = inspect.signature(function)
    parameters = tuple(
        Parameter(p.name, p.annotation, p.default is not EMPTY, p.kind)
        for p in signature.parameters.values()
    )
    return parameters, signature.return_annotation


def _is_context(parameter: Parameter) -> bool:
    annotation = parameter.annotation
    if annotation is EMPTY:
        return parameter.name == "context"
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name.rpartition(".")[2] == "AssetExecutionContext" or parameter.name == "context"


def _key_of(
    function: Callable[..., Any],
    read: OptionReader,
    name: str | None,
    key: str | Sequence[str] | AssetKey | None,
    key_prefix: str | Sequence[str] | None,
) -> AssetKey:
    if key is not None and (name is not None or key_prefix is not None):
        read.note("key= takes the place of name= and key_prefix=", "Give one or the other.")
    whole = None if key is None else read.read("key", unchecked_key, key)
    if whole is not None:
        return whole
    prefix = read.read("key_prefix", unchecked_key, key_prefix) if key_prefix else None
    last = read.text("name", name)
    if last is None:
        last = _name_of(function, read)
    return AssetKey.unchecked([*(prefix.parts if prefix else ()), last])


def _name_of(function: Callable[..., Any], read: OptionReader) -> str:
    bottom = plain_function(function)
    if bottom is not None and bottom.__name__ != "__call__":
        return bottom.__name__
    name = getattr(function, "__name__", None)
    if not isinstance(name, str):  # a callable object: all of its class would share a key
        name = type(function).__name__
        read.note(f"a {name} has no name that the asset could take", "Give it one with name=.")
    return name


def _deps(read: OptionReader, given: Any) -> tuple[AssetKey, ...]:
    keys = [read.read("deps", unchecked_key, dep) for dep in read.listed("deps", given)]
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _ins(read: OptionReader, given: Any) -> dict[str, AssetKey]:
    keys = {
        parameter: read.read("ins", _in_key, parameter, one)
        for parameter, one in read.mapping("ins", given).items()
    }
    return {parameter: key for parameter, key in keys.items() if key is not None}


def unchecked_key(given: str | Sequence[str] | AssetKey | Asset) -> AssetKey:
    """A key as it was written. Its rules are checked with everything else, in the graph."""
    if isinstance(given, Asset):
        return given.key
    if isinstance(given, AssetKey):
        return given
    if isinstance(given, Sequence) and all(isinstance(part, str) for part in given):
        return AssetKey.unchecked(given)
    raise TypeError(f"{given!r} is not an asset, a key or the text of one")


def _as_key(given: str | Sequence[str] | AssetKey | Asset) -> AssetKey:
    return AssetKey(unchecked_key(given).parts)


def _in_key(parameter: str, given: AssetIn | str | AssetKey | Asset) -> AssetKey:
    return given.resolve(parameter) if isinstance(given, AssetIn) else unchecked_key(given)


def _description(function: Callable[..., Any]) -> str | None:
    bottom = plain_function(function)
    return inspect.cleandoc(bottom.__doc__) if bottom and bottom.__doc__ else None
