"""Categories of pandas that have nulls, asked for as other frames."""

from __future__ import annotations

from typing import Any

import pytest

import assetgraph as dg

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")


@pytest.mark.parametrize("kind", [pl.DataFrame, pl.LazyFrame])
def test_a_null_among_the_categories_of_pandas_is_a_null_of_polars(
    instance: dg.Instance, kind: Any
) -> None:
    """Pandas writes it as the code -1, and the times of whole seconds make it a file of Arrow."""
    values = pd.Categorical([None, None, "a"], categories=["a"])
    times = pd.Series([pd.NaT] * 3, dtype="datetime64[s]")

    @dg.asset
    def made() -> pd.DataFrame:
        return pd.DataFrame({"c": values, "t": times})

    def read(made) -> list[Any]:  # type: ignore[no-untyped-def]
        return list((made.collect() if kind is pl.LazyFrame else made)["c"])

    read.__annotations__["made"] = kind
    reads = dg.asset(read)
    result = dg.materialize([made, reads], instance=instance)
    assert result.value("read") == [None, None, "a"]
