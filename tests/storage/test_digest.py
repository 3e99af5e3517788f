"""The hash of a file's content."""

from __future__ import annotations

from pathlib import Path

import pytest

from assetgraph.storage.formats.digest import _LEAST_READ, _MOST_READ, digest_of, digest_of_file


@pytest.mark.parametrize(
    "size",
    [0, 1, _LEAST_READ - 1, _LEAST_READ, _MOST_READ - 1, _MOST_READ, 2 * _MOST_READ + 1],
)
def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path, size: int) -> None:
    data = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    path = tmp_path / "data.bin"
    path.write_bytes(data[:size])

    assert digest_of_file(path) == digest_of("file", data[:size])


def test_the_digest_of_a_file_covers_more_than_its_size_says() -> None:
    status = Path("/proc/self/mounts")
    if not status.exists():
        pytest.skip("only Linux has files that say they are empty")

    assert status.stat().st_size == 0
    assert digest_of_file(status) == digest_of("file", status.read_bytes())
