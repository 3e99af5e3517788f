"""`TableStream`, a table that passes once, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa


class TableStream(NamedTuple):
    """A table that can be read once. `kind` is the kind of table it loads as, see `table_kind`."""

    kind: str
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
