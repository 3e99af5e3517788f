"""What the function of several assets returned or yielded, by the asset that each part is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any

from assetgraph.definitions.annotations import described, yielded_result
from assetgraph.definitions.deep_types import result_contradiction
from assetgraph.definitions.metadata import (
    RESULTS,
    MaterializeResult,
    Output,
    data_version_of,
    result_metadata,
    tags_of,
)
from assetgraph.errors import OutputNotFoundError, ValueTypeError
from assetgraph.keys import AssetKey, Target, checked_asset
from assetgraph.process.secrets import masked_data
from assetgraph.text import did_you_mean, listed

if TYPE_CHECKING:
    from assetgraph.run.step_task import StepTask

_NAMED = 5  # assets in a message
_HOW = (
    "Return or yield MaterializeResult(asset_key=…, value=…) or Output(…, output_name=…) for each "
    "of them, or return a tuple with a value for each, or a dict by their names."
)
_UNNAMED = "result"  # what Dagster calls the output of a function of one asset

Named = tuple[AssetKey, Any]


def result_of_one(task: StepTask, yielded: Any) -> tuple[Iterator[Any] | None, Any]:
    """The result that the function of one asset yields, or None and its value: what it yields may
    be a stream of tables.

    Raises `ValueTypeError` and `OutputNotFoundError`, when the result is asked for.
    """
    rest = iterated(yielded)
    for first in rest:
        if isinstance(first, RESULTS):
            named = NamedOutputs(task).yielded(chain([first], rest))
            return (one for _, one in named), None
        return None, _joined([first], rest)
    return None, _joined([], rest)


def _joined(looked_at: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    """A generator, as the function's own was."""
    yield from looked_at
    yield from rest


def parts_of(
    task: StepTask, target: Target, result: Any
) -> tuple[Any, str | None, dict[str, Any], dict[str, str]]:
    """The value, data version, metadata and tags of a result for `target`. Raises `ValueTypeError`
    if it says that it is of another asset."""
    name = result.output_name if isinstance(result, Output) else result.asset_key
    name = name.text if isinstance(name, AssetKey) else name
    if (
        name not in (None, target.key.text)
        and task.computation.output_names.get(name) != target.key
    ):
        NamedOutputs(task).require(target, result)
    version = masked_data(data_version_of(result.data_version))
    tags = masked_data(tags_of(result.tags, target.text)) if result.tags else {}
    return result.value, version, result_metadata(result, target.text), tags


class NamedOutputs:
    """The assets that a step makes, and which of them its function has given.

    Methods raise `ValueTypeError` for what the function may not give, and `OutputNotFoundError` if
    it gave too little.
    """

    def __init__(self, task: StepTask) -> None:
        self._computation = computation = task.computation
        self._asked = dict.fromkeys(target.key for target in task.outputs)
        self._by_name = {spec.key.text: spec.key for spec in computation.specs}
        self._by_name |= computation.output_names
        self._types: Mapping[AssetKey, Any] = getattr(computation, "output_types", {})
        self._is_multi = computation.is_multi
        of_one = None if computation.is_multi else yielded_result(computation.returns)
        if of_one is not None:
            self._types = dict.fromkeys(self._asked, of_one)
        self._given: set[AssetKey] = set()
        self._own = [one.key for one in computation.specs if checked_asset(one.key) is None]
        self._is_of_one = len(self._own) == 1

    def require(self, target: Target, result: Any) -> None:
        """Raise `ValueTypeError` if a result for `target` says that it is of another asset."""
        key = self._named(result)
        if key != target.key:
            what = f"gave a result of {key.text!r} as that of {target.key.text!r}"
            raise self._refused(what, "Name the same asset in both places.")

    def returned(self, returned: Any) -> Sequence[Named]:
        """Everything in what a function returned, which is complete."""
        if returned is None:
            return [(key, None) for key in self._asked]
        found = [self._take(key, one) for key, one in self._parts(returned)]
        self._require_complete()
        return found

    def yielded(self, parts: Iterator[Any]) -> Iterator[Named]:
        """What a function yields, as it comes."""
        for one in parts:
            if not isinstance(one, RESULTS):
                raise self._refused(f"yielded {described(one)}", _HOW)
            yield self._take(self._named(one), one)
        self._require_complete()

    def _parts(self, returned: Any) -> Iterable[Named]:
        if isinstance(returned, RESULTS):
            return [(self._named(returned), returned)]
        if isinstance(returned, Mapping):
            return [(self._known(name), one) for name, one in returned.items()]
        if isinstance(returned, tuple | list) and returned and all(map(_says_which, returned)):
            return [(self._named(one), one) for one in returned]
        if not isinstance(returned, tuple) or len(returned) != len(self._asked):
            count = len(self._asked)
            what = f"a tuple of {count} values, one for each of its assets"
            raise self._refused(f"returned {described(returned)}. It must return {what}", _HOW)
        pairs = zip(self._asked, returned, strict=True)
        return [(self._named(one) if _says_which(one) else key, one) for key, one in pairs]

    def _named(self, result: Any) -> AssetKey:
        if isinstance(result, Output):
            name = result.output_name
            if name is not None and not (name == _UNNAMED and self._is_of_one):
                return self._known(name)
        elif isinstance(result, MaterializeResult) and result.asset_key is not None:
            return self._known(result.asset_key)
        if self._is_of_one or len(self._asked) == 1:
            return self._own[0] if self._is_of_one else next(iter(self._asked))
        kind, field = type(result).__name__, "asset_key"
        if isinstance(result, Output):
            field = "output_name"
        what = f"gave {'an' if kind[0] == 'O' else 'a'} {kind} without {field}"
        raise self._refused(what, f"Say which of its assets it is: {self._names()}.")

    def _known(self, name: Any) -> AssetKey:
        key = self._by_name.get(name.text if isinstance(name, AssetKey) else name)
        if key is None:
            text = name.text if isinstance(name, AssetKey) else str(name)
            known = dict.fromkeys((*self._computation.output_names, *self._by_name))
            guess = did_you_mean(text, known)
            remedy, which = f"Its assets: {self._names()}.", "one of its assets"
            if self._is_of_one:
                remedy, which = f"Its asset is {self._own[0].text}.", "its asset"
            raise self._refused(f"gave {text!r}, which is not {which}", guess or remedy)
        return key

    def _take(self, key: AssetKey, one: Any) -> Named:
        if key not in self._asked:
            what = f"gave {key.text!r}, which this step does not make"
            raise self._refused(what, "Make only what is in context.selected_asset_keys.")
        if key in self._given:
            raise self._refused(f"gave {key.text!r} twice", "Give each of its assets once.")
        wrong = (
            result_contradiction(_value_of(one), self._types[key]) if key in self._types else None
        )
        if wrong:
            raise ValueTypeError(
                f"{key.text!r} of {self._computation.name!r} {wrong}.",
                hint=self._type_remedy(),
            )
        self._given.add(key)
        return key, one

    def _type_remedy(self) -> str:
        place = "the dagster_type= of its AssetOut" if self._is_multi else "the annotation"
        return f"Give a value of this type, or change {place}."

    def _require_complete(self) -> None:
        specs = self._computation.specs
        optional = {spec.key for spec in specs if spec.skippable}
        missing = [k for k in self._asked if k not in self._given and k not in optional]
        if missing:
            raise OutputNotFoundError(
                f"{self._computation.name!r} gave no value for {_some(missing)}.",
                hint="Give each of its assets, or say that it may be left out: "
                "AssetSpec(…, skippable=True), or AssetOut(is_required=False).",
            )

    def _names(self) -> str:
        names = dict.fromkeys(self._computation.output_names)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        return listed([*names][:_NAMED]) + more

    def _refused(self, what: str, remedy: str) -> ValueTypeError:
        return ValueTypeError(f"{self._computation.name!r} {what}.", hint=remedy)


def iterated(returned: Any) -> Iterator[Any]:
    """What a generator yields, also an asynchronous one."""
    if type(returned) is AsyncGeneratorType:
        from assetgraph.run.async_call import awaited_each

        return awaited_each(returned)
    found: Iterator[Any] = returned
    return found


def _says_which(one: Any) -> bool:
    if isinstance(one, Output):
        return one.output_name is not None
    return isinstance(one, MaterializeResult) and one.asset_key is not None


def _value_of(one: Any) -> Any:
    return one.value if isinstance(one, RESULTS) else one


def _some(keys: Sequence[AssetKey]) -> str:
    more = f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
    return listed([repr(key.text) for key in keys[:_NAMED]]) + more
