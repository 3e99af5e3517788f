"""Pickles from the first version of assetgraph, whose modules had other names."""

from __future__ import annotations

import base64
import io
import sys
import types
from pathlib import Path
from typing import Any

import msgspec
import pytest

import assetgraph as dg
from assetgraph.errors import NoValueError
from assetgraph.keys import AssetKey, Target
from assetgraph.storage.formats.pickling import class_names
from assetgraph.storage.formats.pickling.pickle_file import read_pickle, write_pickle
from assetgraph.storage.value_store import ValueStore

POLICY = dg.RetryPolicy(
    max_retries=3, delay=1.5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL
)

# A value, the digest that the first version gave its pickle, and that pickle.
OLD: dict[str, tuple[Any, str, str]] = {
    "a retry policy": (
        POLICY,
        "d1c6bb023e533c85401b8d93424bd892",
        "gAWVcQAAAAAAAACMEmFzc2V0Z3JhcGgucmV0cmllc5SMC1JldHJ5UG9saWN5lJOUKYGUXZQoSwNHP/gAAAAAAABoAIwH"
        "QmFja29mZpSTlIwLRVhQT05FTlRJQUyUhZRSlGgAjAZKaXR0ZXKUk5SMBEZVTEyUhZRSlGViLg==",
    ),
    "metadata": (
        {
            "rows": dg.MetadataValue.int(3),
            "text": dg.MetadataValue.md("*x*"),
            "one": dg.MetadataValue.int(3),
        },
        "1281d7adc8d305bd17fa44b2315b0dc0",
        "gAWVdAAAAAAAAAB9lCiMBHJvd3OUjBNhc3NldGdyYXBoLm1ldGFkYXRhlIwNTWV0YWRhdGFWYWx1ZZSTlCmBlF2UKIwD"
        "aW50lEsDZWKMBHRleHSUaAQpgZRdlCiMAm1klIwDKngqlGVijANvbmWUaAQpgZRdlChoB0sDZWJ1Lg==",
    ),
    "keys": (
        [dg.AssetKey("a/b"), dg.AssetKey("c")],
        "f6c8380ea0eb8b089ef700327800e918",
        "gAWVPwAAAAAAAABdlCiMD2Fzc2V0Z3JhcGgua2V5c5SMCV9pbnRlcm5lZJSTlIwBYZSMAWKUhpSFlFKUaAOMAWOUhZSF"
        "lFKUZS4=",
    ),
    "the classes themselves": (
        (dg.RetryPolicy, dg.MetadataValue, dg.AssetKey, dg.Config),
        "eae2c179198a40f457eda7caba1ade98",
        "gAWVjwAAAAAAAAAojBJhc3NldGdyYXBoLnJldHJpZXOUjAtSZXRyeVBvbGljeZSTlIwTYXNzZXRncmFwaC5tZXRhZGF0"
        "YZSMDU1ldGFkYXRhVmFsdWWUk5SMD2Fzc2V0Z3JhcGgua2V5c5SMCEFzc2V0S2V5lJOUjBFhc3NldGdyYXBoLmNvbmZp"
        "Z5SMBkNvbmZpZ5STlHSULg==",
    ),
    "a result": (
        dg.MaterializeResult(value=1, metadata={"n": 1}),
        "b263f6f0ed5bae63020a391ecf9f091b",
        "gAWVQQAAAAAAAACME2Fzc2V0Z3JhcGgubWV0YWRhdGGUjBFNYXRlcmlhbGl6ZVJlc3VsdJSTlCmBlF2UKEsBfZSMAW6U"
        "SwFzTmViLg==",
    ),
    "an input": (
        dg.AssetIn("x"),
        "0214a561b59dd41a72ecd69c8a8db63f",
        "gAWVLgAAAAAAAACMEWFzc2V0Z3JhcGguYXNzZXRzlIwHQXNzZXRJbpSTlCmBlF2UKIwBeJROZWIu",
    ),
}


@pytest.mark.parametrize(("value", "digest", "pickled"), OLD.values(), ids=OLD.keys())
def test_a_pickle_of_the_first_version_loads(value: Any, digest: str, pickled: str) -> None:
    assert read_pickle(io.BytesIO(base64.b64decode(pickled)), "value.pickle") == value


@pytest.mark.parametrize(("value", "digest", "pickled"), OLD.values(), ids=OLD.keys())
def test_a_value_has_the_digest_that_it_had_in_the_first_version(
    value: Any, digest: str, pickled: str
) -> None:
    sink = io.BytesIO()
    assert write_pickle(value, sink, "value.pickle", None).content == digest
    assert sink.getvalue() == base64.b64decode(pickled)


def test_a_value_in_many_frames_has_the_digest_that_it_had_in_the_first_version() -> None:
    value = [dg.MetadataValue.text("x" * 50 + str(number)) for number in range(3000)]
    content = write_pickle(value, io.BytesIO(), "value.pickle", None).content
    assert content == "160284f96b12551542557c10ce164991"


def test_every_public_class_has_a_module_name_that_never_changes() -> None:
    classes = {name for name in dg.__all__ if isinstance(getattr(dg, name), type)}
    assert set(class_names._HASHED_MODULES) == classes


def test_a_name_that_assetgraph_never_exported_is_not_found(folder: Path) -> None:
    values = ValueStore("values", folder)
    stored = values.save(Target(AssetKey("a")), "run", (POLICY,)).stored
    file = folder / "values" / str(stored.path)
    file.write_bytes(file.read_bytes().replace(b"RetryPolicy", b"RetryPocily"))
    stored = msgspec.structs.replace(stored, checksum=None)  # as the first version recorded it
    with pytest.raises(NoValueError, match=r"RetryPocily.*Materialize its asset again"):
        values.load(stored)


def test_a_class_of_the_project_with_a_public_name_is_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("assetgraph_project")
    exec("class RetryPolicy:\n    pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "assetgraph_project", module)
    values = ValueStore("values", folder)
    stored = values.save(Target(AssetKey("a")), "run", module.RetryPolicy()).stored
    assert type(values.load(stored)) is module.RetryPolicy
    del module.RetryPolicy
    with pytest.raises(NoValueError, match=r"cannot be read back"):
        values.load(stored)


def test_a_new_pickle_in_a_store_is_that_of_the_first_version(folder: Path) -> None:
    values = ValueStore("values", folder)
    stored = values.save(Target(AssetKey("a")), "run", POLICY).stored
    data = (folder / "values" / str(stored.path)).read_bytes()
    assert data == base64.b64decode(OLD["a retry policy"][2])
    assert values.load(stored) == POLICY
