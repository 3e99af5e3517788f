"""`Config`: the typed config of an asset, validated when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec._utils import rebuild  # type: ignore[attr-defined]  # earlier pickles name it
from pydantic import BaseModel, ConfigDict

from assetgraph.definitions.env_var import let_env_vars_through

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler


# Its name counts in the code version of every subclass: another would make their assets stale.
class _KeywordOnly(type(BaseModel)):  # type: ignore[misc]
    """The class of every `Config` class."""


class Config(BaseModel, metaclass=_KeywordOnly):
    """Base class for the config of an asset: fields with types and optional defaults.

        class TripsConfig(Config):
            month: str = "2023-03"
            rows: int

        @asset
        def trips(config: TripsConfig): ...

        materialize([trips], run_config=RunConfig({"trips": TripsConfig(rows=5)}))

    The parameter is recognized by its annotation. It is a pydantic model, so that `field_validator`
    and `Field` of pydantic work in it. An instance is frozen and takes keyword arguments only. Any
    field takes an `EnvVar`, which a run reads. Unknown fields, wrong types and missing fields raise
    `pydantic.ValidationError`, a `ValueError`, and in a run's config a `ConfigError` before the run
    starts.
    """

    # What cannot be a field is found by `check`, at its field: so nothing is refused, nor built,
    # when the class is made.
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        schema = handler(source)
        let_env_vars_through(schema)
        return schema

    def __repr_args__(self) -> Any:
        from assetgraph.definitions.resource_marks import hidden_secrets

        return hidden_secrets(type(self), super().__repr_args__())

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__post_init__" in vars(cls):
            raise TypeError(
                f"{cls.__qualname__} has a __post_init__, which nothing calls: "
                "call it model_post_init(self, context), as pydantic does."
            )

    def __reduce_ex__(self, protocol: Any) -> Any:
        """How to pickle it: by its fields, as in earlier versions, so that values and versions of
        code that hold one stay what they are; unless making it again could change it."""
        if self.__pydantic_private__ or _changes_fields(type(self)):
            return super().__reduce_ex__(protocol)
        return rebuild, (type(self), self.__dict__)


def _changes_fields(kind: type[BaseModel]) -> bool:
    """Whether code of a class runs when an instance is made."""
    found = kind.__pydantic_decorators__
    return bool(
        kind.__pydantic_post_init__
        or kind.__pydantic_custom_init__
        or found.validators
        or found.field_validators
        or found.root_validators
        or found.model_validators
    )
