"""`EnvVar`: an environment variable in the place of a value, which is read when a run needs it."""

from __future__ import annotations

import os
from typing import Any

from assetgraph.errors import ConfigError


class EnvVar(str):
    """An environment variable in the place of a value.

        Warehouse(password=EnvVar("WAREHOUSE_PASSWORD"))

    A run reads the variable where it needs the value, so that the value stands nowhere. Reading it
    earlier, as with `str(…)`, raises `RuntimeError`; `get_value` returns it.
    """

    __slots__ = ()

    @staticmethod
    def int(name: str) -> IntEnvVar:
        """An environment variable whose value is a whole number."""
        return IntEnvVar(name)

    @property
    def env_var_name(self) -> str:
        return str.__str__(self)

    def get_value(self, default: str | None = None) -> str | None:
        """The value as of now, or `default` if the variable is not set."""
        return os.environ.get(self.env_var_name, default)

    def __str__(self) -> str:
        raise RuntimeError(_too_early(self.env_var_name))

    def __format__(self, spec: str) -> str:
        raise RuntimeError(_too_early(self.env_var_name))

    def __repr__(self) -> str:
        return f"EnvVar({self.env_var_name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return EnvVar, (self.env_var_name,)


class IntEnvVar(int):
    """An environment variable whose value is a whole number: see `EnvVar.int`."""

    env_var_name: str

    def __new__(cls, name: str) -> IntEnvVar:
        made = super().__new__(cls, 0)
        made.env_var_name = name
        return made

    def get_value(self, default: int | None = None) -> int | None:
        """The value as of now, or `default` if the variable is not set. Raises `ConfigError` if it
        is no whole number."""
        text = os.environ.get(self.env_var_name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError:
            raise ConfigError(
                f"the environment variable {self.env_var_name} is not a whole number.",
                hint=f"Set it to one: export {self.env_var_name}=…",
            ) from None

    def __str__(self) -> str:
        raise RuntimeError(_too_early(self.env_var_name))

    def __format__(self, spec: str) -> str:
        raise RuntimeError(_too_early(self.env_var_name))

    def __int__(self) -> int:
        raise RuntimeError(_too_early(self.env_var_name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IntEnvVar) and other.env_var_name == self.env_var_name

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.env_var_name)

    def __repr__(self) -> str:
        return f"EnvVar.int({self.env_var_name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return IntEnvVar, (self.env_var_name,)


ENV_VARS = (EnvVar, IntEnvVar)


def holds_env_var(value: Any) -> bool:
    """Whether `value` is an `EnvVar`, or a list or dict that holds one at any depth."""
    kind = type(value)
    if kind in ENV_VARS:
        return True
    if kind in (list, tuple, set, frozenset):
        return any(map(holds_env_var, value))
    return kind is dict and any(map(holds_env_var, value.values()))


def env_vars_in(value: Any) -> list[EnvVar | IntEnvVar]:
    """The `EnvVar`s that `value` is or holds, as for `holds_env_var`."""
    if isinstance(value, ENV_VARS):
        return [value]
    if type(value) in (list, tuple, set, frozenset):
        return [found for item in value for found in env_vars_in(item)]
    return env_vars_in(list(value.values())) if type(value) is dict else []


def with_env_vars_read(value: Any) -> Any:
    """`value` with each `EnvVar` replaced by the value of its variable, None if that is not set.
    Raises `ConfigError` for a variable that is no whole number, but has to be one."""
    if isinstance(value, ENV_VARS):
        return value.get_value()
    if type(value) in (list, tuple, set, frozenset):
        return type(value)([with_env_vars_read(item) for item in value])
    if type(value) is dict:
        return {name: with_env_vars_read(item) for name, item in value.items()}
    return value


def _too_early(name: str) -> str:
    return (
        f"the environment variable {name} is read when a run needs it, not before: call "
        f'EnvVar("{name}").get_value() to read it now'
    )


def let_env_vars_through(schema: Any) -> None:
    """Have each field of a model's schema take an `EnvVar` unchecked: its value is checked when a
    run reads it. A Literal takes none."""
    while schema["type"] != "model-fields":
        if "schema" not in schema:
            return
        schema = schema["schema"]
    from pydantic_core import core_schema

    def through(value: Any, check: Any) -> Any:
        try:
            found = holds_env_var(value)
        except RecursionError:  # it nests too deep, as its check will say
            found = False
        return value if found else check(value)

    for field in schema["fields"].values():
        holder = field
        while holder["schema"]["type"] == "default":
            holder = holder["schema"]
        if holder["schema"]["type"] == "literal":
            continue  # it may tell the classes of a union apart, which pydantic must see
        holder["schema"] = core_schema.no_info_wrap_validator_function(through, holder["schema"])
