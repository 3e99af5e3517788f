"""`ConfigurableResource`: what steps work with, such as a database or a client, made from fields.

It is a pydantic model, so that this module is imported only where a resource is defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr

from assetgraph.definitions.env_var import let_env_vars_through
from assetgraph.definitions.resource_marks import RESOURCE, SECRET, hidden_secrets

if TYPE_CHECKING:
    import logging

    from pydantic import GetCoreSchemaHandler

T = TypeVar("T")

ResourceParam = Annotated[T, RESOURCE]
Secret = Annotated[T, SECRET]


class InitResourceContext:
    """What a resource can use while it opens and closes: the id of the run, and a logger whose
    records become events of the step that opens it."""

    def __init__(self, run_id: str, log: logging.Logger) -> None:
        self.run_id = run_id
        self.log = log


class ConfigurableResource(BaseModel):
    """Base class for what steps work with: fields with types, and methods that assets call.

        class Warehouse(ConfigurableResource):
            url: str
            password: Secret[str]

            def query(self, sql: str): ...

        @asset
        def trips(warehouse: Warehouse): ...

        defs = Definitions([trips], resources={
            "warehouse": Warehouse(url="…", password=EnvVar("WAREHOUSE_PASSWORD")),
        })

    Fields are checked when an instance is made, which is frozen then. Any field takes an `EnvVar`
    or another resource. `setup_for_execution` opens what the methods need, and
    `teardown_after_execution` closes it: once for each run and process. `unversioned` names the
    fields that do not count for whether assets are up to date, such as an address.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True
    )
    unversioned: ClassVar[tuple[str, ...]] = ()
    _from_env: frozenset[str] = PrivateAttr(default=frozenset())

    @classmethod
    def configure_at_launch(cls, **fields: Any) -> Self:
        """A resource whose other fields each run gives, in its config: `run_config={"resources":
        {"warehouse": {"config": {"url": "…"}}}}`."""
        return cls.model_construct(_fields_set=set(fields), **fields)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Open what the methods need. It may set private attributes, such as `self._client`."""

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Close what `setup_for_execution` opened."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[Any]:
        """Open the resource, and close it when the block ends. A subclass that overrides this opens
        and closes in one method."""
        self.setup_for_execution(context)
        try:
            yield self
        finally:
            self.teardown_after_execution(context)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        schema = handler(source)
        let_env_vars_through(schema)
        return schema

    def __repr_args__(self) -> Any:
        return hidden_secrets(type(self), super().__repr_args__(), self._from_env)

    def __reduce__(self) -> tuple[Any, ...]:
        # Not what it has opened: another process opens it anew.
        return _remade, (type(self), given_fields(self))


class ResourceDefinition:
    """A resource without a class of its own, as `mock_resource` and `hardcoded_resource` make."""

    def __init__(self, value: Any, *, is_mock: bool = False) -> None:
        self._value = value
        self._is_mock = is_mock

    @classmethod
    def mock_resource(cls, description: str | None = None) -> ResourceDefinition:  # noqa: ARG003
        """A resource that takes every call: a `MagicMock`, anew for each run and process. The
        `description` is for who reads the code."""
        return cls(None, is_mock=True)

    @classmethod
    def hardcoded_resource(
        cls,
        value: Any,
        description: str | None = None,  # noqa: ARG003
    ) -> ResourceDefinition:
        """A resource that is `value` itself. The `description` is for who reads the code."""
        return cls(value)

    def value(self) -> Any:
        if not self._is_mock:
            return self._value
        from unittest.mock import MagicMock

        return MagicMock()


def given_fields(resource: BaseModel) -> dict[str, Any]:
    """The fields that were given when `resource` was made, each as it is."""
    values = vars(resource)
    return {name: values[name] for name in resource.model_fields_set if name in values}


def _remade(kind: type[ConfigurableResource], fields: Mapping[str, Any]) -> ConfigurableResource:
    return kind(**fields)
