"""`obtain`: downloads a file or, without a network, uses an existing one or the sample."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import assetgraph as dg
from nyc_taxi import sample
from nyc_taxi.download import Download, Patience, download
from nyc_taxi.download_errors import RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nyc_taxi.tlc import FileFacts

PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the TLC: its URL, its local path, and functions that check it and write a sample.

    `absent` is added to the error message if the host does not have the file.
    """

    url: str
    path: Path
    inspect: Callable[[Path], FileFacts]
    write_sample: Callable[[Path], None]
    absent: str


def obtain(context: dg.AssetExecutionContext, source: Source) -> Path:
    """Download the file and return its path.

    If the host cannot be reached, an existing real file is kept, or else the embedded sample is
    written; both with a warning. Records the source, size and columns as metadata.

    Raises `DownloadError`, with NYC_TAXI_OFFLINE=fail also if the host cannot be reached.
    """
    fail_offline = _fail_offline()
    try:
        got, origin = _download(context, source), urlsplit(source.url).netloc
    except UnreachableError as error:
        if fail_offline:
            raise
        got, origin, warning = _without_network(source, error)
        context.log.warning(warning)
        context.add_output_metadata({"warning": warning})
    context.add_output_metadata(
        {
            "source": origin,
            "url": dg.MetadataValue.url(source.url),
            "rows": got.facts.rows,
            "columns": dg.MetadataValue.table(
                [{"name": name, "type": kind} for name, kind in got.facts.columns]
            ),
            "bytes": got.bytes,
            "sha256": got.sha256,
            "seconds": round(got.duration_s, 3),
        }
    )
    return source.path


def _fail_offline() -> bool:
    wish = os.environ.get("NYC_TAXI_OFFLINE", "")
    if wish not in ("", "sample", "fail"):
        raise ValueError(f"NYC_TAXI_OFFLINE is {wish!r}: set it to 'fail' or to 'sample'.")
    return wish == "fail"


def _download(context: dg.AssetExecutionContext, source: Source) -> Download[FileFacts]:
    try:
        return download(
            source.url,
            source.path,
            check=source.inspect,
            progress=lambda done, total: context.progress(done, total, unit="B"),
            notice=context.log.info,
            patience=PATIENCE,
        )
    except RefusedError as error:
        if error.status not in (403, 404):
            raise
        raise RefusedError(f"{error} {source.absent}".rstrip(), error.status) from error


def _without_network(
    source: Source, error: UnreachableError
) -> tuple[Download[FileFacts], str, str]:
    """The file to use instead of the download, its origin, and a warning."""
    path = source.path
    if not path.exists() or sample.is_sample(path):
        source.write_sample(path)
        warning = f"{error} {path} is the embedded sample: made-up data, not TLC data."
        return _as_it_is(source), sample.SOURCE, warning
    try:
        there = _as_it_is(source)
    except ValueError as damage:
        problem = f"{path} exists but is {damage}. Remove it to get the embedded sample."
        raise UnreachableError(f"{error} {problem}") from error
    return there, "existing file", f"{error} The existing {path} is used."


def _as_it_is(source: Source) -> Download[FileFacts]:
    """The existing file at `source.path`, described like a downloaded one."""
    facts = source.inspect(source.path)
    with open(source.path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Download(source.url, source.path, source.path.stat().st_size, sha256, 0, facts)
