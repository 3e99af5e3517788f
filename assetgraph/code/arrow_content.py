"""The content of Arrow arrays and tables as a hash."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any


def arrow_hash(value: Any) -> bytes:
    """The hash of an array or a table. Offsets into shared buffers and a list of missing values
    without an entry do not count, since the format for sending leaves them out. Chunks do: a sum
    over others may round differently."""
    import pyarrow as pa

    if isinstance(value, pa.Array):
        value = pa.chunked_array([value], value.type)
    if isinstance(value, pa.ChunkedArray):
        value = pa.table({"": value})
    elif isinstance(value, pa.RecordBatch):
        value = pa.Table.from_batches([value])
    sink = _Hash()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), value.schema) as stream:
        stream.write_table(value)
    return sink.made.digest()


class _Hash:
    """A file that keeps only the hash of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.made = blake2b(digest_size=20)

    def write(self, data: Any) -> int:
        self.made.update(data)
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def tell(self) -> int:
        return 0
