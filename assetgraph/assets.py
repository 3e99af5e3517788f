"""`Asset`, the `@asset` decorator that makes one, and the registry that remembers it."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import FunctionType, ModuleType
from typing import Any, overload

from assetgraph.config import Config
from assetgraph.io_manager import IOManager
from assetgraph.keys import AssetKey, key_problem
from assetgraph.metadata import metadata_json
from assetgraph.retries import RetryPolicy

EMPTY = inspect.Parameter.empty


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with the definitions: where it is, what it is, and what to do about it."""

    file: str
    line: int
    message: str
    remedy: str = ""
    key: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text} {self.remedy}" if self.remedy else text

    @property
    def place(self) -> str:
        return f"{_short(self.file)}:{self.line}"


@dataclass(frozen=True, slots=True)
class AssetIn:
    """Which upstream a parameter reads: `key`, or the parameter's name under `key_prefix`."""

    key: str | AssetKey | None = None
    key_prefix: str | Sequence[str] | None = None

    def resolve(self, parameter: str) -> AssetKey:
        key = _as_key(self.key) if self.key is not None else AssetKey(parameter)
        return key.with_prefix(self.key_prefix) if self.key_prefix else key


@dataclass(frozen=True, slots=True)
class Parameter:
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
    its name does not. `timeout` is in seconds. `module` is where it was decorated.
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
        return f"{_short(self.file)}:{self.line}"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All parameters, annotations resolved where their names can be."""
        names = getattr(self.plain_function, "__globals__", {})
        return tuple(
            Parameter(
                p.name, resolve_annotation(p.annotation, names), p.default is not EMPTY, p.kind
            )
            for p in self._signature.parameters.values()
        )

    @cached_property
    def returns(self) -> Any:
        """The return annotation, resolved where its names can be, or `EMPTY`."""
        annotation = self._signature.return_annotation
        return resolve_annotation(annotation, getattr(self.plain_function, "__globals__", {}))

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def context_parameter(self) -> str | None:
        return next((p.name for p in self.parameters if _is_context(p)), None)

    @cached_property
    def config_parameter(self) -> Parameter | None:
        """The parameter that takes the config: known by its annotation, a subclass of `Config`."""
        return next((p for p in self.parameters if is_config_type(p.annotation)), None)

    @property
    def config_type(self) -> type[Config] | None:
        return self.config_parameter.annotation if self.config_parameter else None

    @cached_property
    def inputs(self) -> tuple[Parameter, ...]:
        """The parameters that name an upstream: neither context nor config, and without a default
        unless `ins` or `deps` names it."""
        named = {*self.ins, *(dep.name for dep in self.deps)}
        return tuple(
            p
            for p in self.parameters
            if p.name != self.context_parameter
            and not is_config_type(p.annotation)
            and p.kind in (p.kind.POSITIONAL_OR_KEYWORD, p.kind.KEYWORD_ONLY)
            and (not p.has_default or p.name in named)
        )


class Registry:
    """The assets that were decorated while it was the current one, in order of definition.

    with Registry() as registry:
        @asset
        def trips(): ...
    Definitions(registry)
    """

    def __init__(self) -> None:
        self._assets: list[Asset] = []
        self._tokens: list[Token[Registry]] = []

    def add(self, asset: Asset) -> None:
        """Remember `asset`. A redefinition takes the place of what it redefines; any other asset
        of the same key is kept, and reported when the graph is built."""
        for position, known in enumerate(self._by_key.get(asset.key, ())):
            if _redefines(asset, known):
                self._assets[self._assets.index(known)] = asset
                self._by_key[asset.key][position] = asset
                return
        self._assets.append(asset)
        self._by_key.setdefault(asset.key, []).append(asset)

    @cached_property
    def _by_key(self) -> dict[AssetKey, list[Asset]]:
        return {}

    def __iter__(self) -> Iterator[Asset]:
        return iter(tuple(self._assets))

    def __len__(self) -> int:
        return len(self._assets)

    def __enter__(self) -> Registry:
        self._tokens.append(_current.set(self))
        return self

    def __exit__(self, *exception: object) -> None:
        _current.reset(self._tokens.pop())


default_registry = Registry()
_current: ContextVar[Registry] = ContextVar("registry", default=default_registry)


def current_registry() -> Registry:
    return _current.get()


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

    Raises `TypeError` for an option of the wrong type; what is wrong with a definition is
    reported with everything else that is, when the graph is built.
    """

    def decorate(function: Callable[..., Any]) -> Asset:
        if isinstance(function, Asset):
            raise TypeError(f"{function!r} is an asset already: use @asset once")
        if not callable(function):
            raise TypeError(f"@asset decorates a function, not a {type(function).__name__}")
        if plain_function(function) is None:
            _require_signature(function)
        made = Asset(
            key=_key_of(function, name, key, key_prefix),
            function=function,
            deps=tuple(dict.fromkeys(_as_unchecked_key(dep) for dep in _listed("deps", deps))),
            ins={parameter: _in_key(parameter, given) for parameter, given in (ins or {}).items()},
            group_name=group_name or "default",
            description=description or _description(function),
            tags={str(k): str(v) for k, v in (tags or {}).items()},
            owners=tuple(_listed("owners", owners)),
            kinds=frozenset(_listed("kinds", kinds)),
            metadata=metadata_json(metadata or {}),
            code_version=code_version,
            io_manager=_checked_io_manager(io_manager),
            retry_policy=_checked_policy(retry_policy),
            timeout=_checked_timeout(timeout),
            pool=pool,
            op_tags=dict(op_tags or {}),
            module=caller,
        )
        current_registry().add(made)
        return made

    caller = sys._getframe(1).f_globals.get("__name__", "")
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


def resolve_annotation(annotation: Any, names: Mapping[str, Any]) -> Any:
    """An annotation written as text as the object it names, or the text where it names nothing."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(names))
    except Exception:
        return annotation


def is_config_type(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Config)


def definition_problems(asset: Asset) -> Iterator[Problem]:
    """What is wrong with one asset, looked at alone."""
    problem = partial(Problem, asset.file, asset.line, key=asset.key.text)
    wrong_key = key_problem(asset.key)
    if wrong_key:
        yield problem(wrong_key + ".", "Rename it, or give it a key with key=.")
    for parameter in asset.parameters:
        if parameter.kind in (parameter.kind.VAR_POSITIONAL, parameter.kind.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.kind.VAR_POSITIONAL else "**"
            yield problem(
                f"asset {asset.key.text!r} takes {stars}{parameter.name}, which names no upstream.",
                "Name each upstream as a parameter, or list what is not loaded in deps=.",
            )
        elif parameter.kind is parameter.kind.POSITIONAL_ONLY:
            yield problem(
                f"asset {asset.key.text!r} takes {parameter.name!r} by position only.",
                "Inputs are passed by name: remove the '/'.",
            )
    configs = [p.name for p in asset.parameters if is_config_type(p.annotation)]
    if len(configs) > 1:
        yield problem(
            f"asset {asset.key.text!r} takes config twice: {' and '.join(configs)}.",
            "Put all fields into one Config class.",
        )
    names = {p.name for p in asset.parameters}
    for parameter_name in asset.ins:
        if parameter_name not in names:
            yield problem(
                f"ins= of asset {asset.key.text!r} names {parameter_name!r}, "
                "which is not a parameter of the function.",
                f"Its parameters: {', '.join(sorted(names)) or 'none'}.",
            )
    wrong_group = key_problem(AssetKey.unchecked([asset.group_name]))
    if wrong_group:
        yield problem(
            f"the group {asset.group_name!r} of asset {asset.key.text!r} is no name: "
            "letters, digits, '_', '-' and '.' are allowed.",
            "Rename it.",
        )
    for tag in asset.tags:
        if key_problem(AssetKey.unchecked(tag.split("/"))):
            yield problem(
                f"the tag {tag!r} of asset {asset.key.text!r} is no name: letters, digits, '_', "
                "'-', '.' and '/' are allowed.",
                "Rename it.",
            )
    for owner in asset.owners:
        if "@" not in owner and not owner.startswith("team:"):
            yield problem(
                f"the owner {owner!r} of asset {asset.key.text!r} is neither an e-mail address "
                "nor a team.",
                f"Write 'team:{owner}' for a team.",
            )


def _is_context(parameter: Parameter) -> bool:
    annotation = parameter.annotation
    if annotation is EMPTY:
        return parameter.name == "context"
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name.rpartition(".")[2] == "AssetExecutionContext" or parameter.name == "context"


def _redefines(new: Asset, old: Asset) -> bool:
    if (new.file, new.line) == (old.file, old.line) and new.module == old.module:
        return True
    main = sys.modules.get("__main__")
    interactive = main is not None and not hasattr(main, "__file__")
    return interactive and new.module == old.module == "__main__"


def _key_of(
    function: Callable[..., Any],
    name: str | None,
    key: str | Sequence[str] | AssetKey | None,
    key_prefix: str | Sequence[str] | None,
) -> AssetKey:
    if key is not None:
        if name is not None or key_prefix is not None:
            raise TypeError("give key=, or name= and key_prefix=, not both")
        return _as_unchecked_key(key)
    prefix = _as_unchecked_key(key_prefix).parts if key_prefix else ()
    if name is None:
        bottom = plain_function(function)
        name = bottom.__name__ if bottom else repr(function)
    return AssetKey.unchecked([*prefix, name])


def _as_unchecked_key(given: str | Sequence[str] | AssetKey | Asset) -> AssetKey:
    """A key as it was written. Its rules are checked with everything else, in the graph."""
    if isinstance(given, Asset):
        return given.key
    if isinstance(given, AssetKey):
        return given
    if isinstance(given, str):
        return AssetKey.unchecked(given.split("/"))
    if isinstance(given, Sequence) and all(isinstance(part, str) for part in given):
        return AssetKey.unchecked(given)
    raise TypeError(f"{given!r} is not an asset, a key or the text of one")


def _as_key(given: str | Sequence[str] | AssetKey | Asset) -> AssetKey:
    return AssetKey(_as_unchecked_key(given).parts)


def _in_key(parameter: str, given: AssetIn | str | AssetKey | Asset) -> AssetKey:
    return given.resolve(parameter) if isinstance(given, AssetIn) else _as_unchecked_key(given)


def _checked_io_manager(given: Any) -> IOManager | None:
    if given is not None and not (hasattr(given, "handle_output") and hasattr(given, "load_input")):
        raise TypeError(f"io_manager={given!r} needs the methods handle_output and load_input")
    manager: IOManager | None = given
    return manager


def _listed(option: str, given: Iterable[Any] | None) -> list[Any]:
    if isinstance(given, str):
        raise TypeError(f"{option}= takes a list: write {option}=[{given!r}]")
    return list(given or ())


def _checked_policy(policy: RetryPolicy | None) -> RetryPolicy | None:
    if policy is not None and not isinstance(policy, RetryPolicy):
        raise TypeError(f"retry_policy= takes a RetryPolicy, not {policy!r}")
    return policy


def _checked_timeout(timeout: float | None) -> float | None:
    if timeout is not None and (isinstance(timeout, bool) or not timeout > 0):
        raise TypeError(f"timeout= takes seconds, more than 0, not {timeout!r}")
    return timeout


def _description(function: Callable[..., Any]) -> str | None:
    bottom = plain_function(function)
    return inspect.cleandoc(bottom.__doc__) if bottom and bottom.__doc__ else None


def _short(file: str) -> str:
    """`file` relative to the current folder where it lies inside it."""
    folder = os.getcwd() + os.sep
    return file.removeprefix(folder)


def load_assets_from_modules(
    modules: Iterable[ModuleType],
    *,
    group_name: str | None = None,
    key_prefix: str | Sequence[str] | None = None,
) -> list[Asset]:
    """Every asset that the modules hold by name, in lists, or registered while they ran.

    `group_name` is given to those that have none of their own; `key_prefix` is put before every
    key, and before what their `deps` and `ins` name among them.
    """
    found: dict[int, Asset] = {}
    for module in modules:
        for value in vars(module).values():
            for item in value if isinstance(value, list | tuple) else (value,):
                if isinstance(item, Asset):
                    found.setdefault(id(item), item)
        for item in current_registry():
            if item.module == module.__name__:
                found.setdefault(id(item), item)
    return [_adopted(item, group_name, key_prefix, found.values()) for item in found.values()]


def _adopted(
    item: Asset,
    group_name: str | None,
    key_prefix: str | Sequence[str] | None,
    together: Iterable[Asset],
) -> Asset:
    changes: dict[str, Any] = {}
    if group_name is not None and item.group_name == "default":
        changes["group_name"] = group_name
    if key_prefix is not None:
        prefix = _as_unchecked_key(key_prefix).parts
        ours = {other.key for other in together}

        def moved(key: AssetKey) -> AssetKey:
            return AssetKey.unchecked([*prefix, *key.parts]) if key in ours else key

        changes["key"] = moved(item.key)
        changes["deps"] = tuple(moved(dep) for dep in item.deps)
        changes["ins"] = {parameter: moved(key) for parameter, key in item.ins.items()}
    if not changes:
        return item
    from dataclasses import replace

    return replace(item, **changes)
