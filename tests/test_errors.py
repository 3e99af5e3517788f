"""Errors: each survives pickling, and the tree in the module's docstring is correct."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator

import pytest

from assetgraph import errors
from assetgraph.errors import AssetGraphError, Problem

EXAMPLES = [
    errors.AssetGraphError("wrong.", hint="Do this."),
    errors.InvalidDefinitionError("two of one name", hint="Rename one."),
    errors.InvariantError("no partition", hint="Give one."),
    errors.InvalidKeyError("a bad key"),
    errors.DefinitionsError([Problem("a.py", 3, "is wrong.", "Fix it.", "a")]),
    errors.ProjectError("does not import.", hint="Fix it.", traceback="File a.py"),
    errors.ObservationError("fails.", hint="Fix it.", traceback="File a.py"),
    errors.PartitionsError("no such key", hint="There are 3."),
    errors.SelectionError("reads badly", text="a or", column=4),
    errors.ConfigError("no such field", hint="It takes: month."),
    errors.InvocationError("without a context", hint="Build one."),
    errors.ResourceError("the resource 'db' cannot be opened"),
    errors.MetadataError("a set"),
    errors.ValueTypeError("a generator"),
    errors.OutputNotFoundError("'split' gave no value for 'odds'."),
    errors.StoreError("disk full", hint="Free some."),
    errors.DamagedStoreError("does not read.", path="/x", line=7),
    errors.StoreFormatError("from the future"),
    errors.UnknownRunError("no run"),
    errors.NoValueError("nothing there"),
    errors.CheckFailedError("1 failed"),
    errors.StepTimeoutError("too long"),
    errors.WorkerError("killed"),
    errors.LockedError("held", key="a", holder="run 1"),
]


def subclasses(kind: type) -> Iterator[type]:
    yield kind
    for child in kind.__subclasses__():
        yield from subclasses(child)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_with_all_that_it_carries(error: AssetGraphError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
    assert copy.exit_code == error.exit_code


def test_every_error_has_an_example_here() -> None:
    known = {kind for kind in subclasses(AssetGraphError) if kind.__module__ == errors.__name__}
    assert {type(example) for example in EXAMPLES} == known


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"^( *[│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for indent, name in drawn:
        while path and path[-1][0] >= len(indent):
            path.pop()
        parents[name] = path[-1][1] if path else "Exception"
        path.append((len(indent), name))
    real = {k.__name__: k.__base__.__name__ for k in subclasses(AssetGraphError) if k.__base__}
    assert {k: v for k, v in real.items() if hasattr(errors, k)} == parents


def test_a_message_ends_with_what_to_do_next() -> None:
    assert str(AssetGraphError("wrong.", hint="Do this.")) == "wrong. Do this."
    assert str(AssetGraphError("wrong.")) == "wrong."


def test_the_exit_code_is_two_except_for_a_lock() -> None:
    assert AssetGraphError.exit_code == 2
    assert errors.LockedError.exit_code == 3


def test_a_definitions_error_lists_every_problem() -> None:
    one, two = Problem("a.py", 3, "is wrong.", "Fix it."), Problem("b.py", 4, "is odd.")
    error = errors.DefinitionsError([one, two])
    assert error.problems == (one, two)
    assert str(error).splitlines() == [
        "2 problems in the definitions:",
        "  a.py:3: is wrong. Fix it.",
        "  b.py:4: is odd.",
    ]
