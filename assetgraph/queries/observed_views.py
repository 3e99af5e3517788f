"""What the assets of a project read without declaring it, as records that every view shares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from assetgraph.planning.reason_kinds import read_text

if TYPE_CHECKING:
    from assetgraph.code import Definition
    from assetgraph.definitions.computation import Computation
    from assetgraph.keys import Target
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.records import ObservedRead

_COMPARED = {
    "file": "by its content",
    "existence": "by whether it is there",
    "status": "by its size and time",
    "folder": "by the names in it",
    "pattern": "by the names that it matches",
    "variable": "by a salted digest",
    "asset": "by its data version",
}
_REMEDIES = {
    "host": "What a host answers cannot be compared. Declare it as an @observable_source_asset, or "
    "give the asset a code_version and change it when the answer changes.",
    "database": "What a database holds cannot be compared. Declare it as an "
    "@observable_source_asset, or its file with source_file.",
    "environment": "Read the variables that count by their names, so that a change is noticed.",
    "program": "What another program reads cannot be compared. Declare its files with source_file, "
    "or give the asset a code_version.",
}
_CLOCK = re.compile(
    r"(^|\.)(now|utcnow|today|time|time_ns|monotonic|monotonic_ns|perf_counter|localtime|gmtime)$"
)
_CHANCE = re.compile(
    r"(^|\.)(random|secrets)\."
    r"|(^|\.)(uuid1|uuid4|urandom|getrandbits|token_hex|token_bytes|token_urlsafe)$"
)


class ReadView(msgspec.Struct, frozen=True):
    """One thing that a step read without declaring it.

    `compared` says how it is compared with what is there later, or is empty if it cannot be. `at`
    is when a file was changed, before it was read. `change` says how it differs now. `made_by` is
    the asset that made it, if that is not an upstream.
    """

    kind: str
    name: str
    compared: str = ""
    note: str = ""
    at: datetime | None = None
    change: str = ""
    made_by: str = ""


class ObservedReads(msgspec.Struct, frozen=True):
    """What the step of a value read, or of a failure if there is no value. `known` is False if the
    store lost that."""

    reads: tuple[ReadView, ...] = ()
    known: bool = True

    @property
    def remedies(self) -> list[str]:
        """What to do about those that cannot be compared."""
        kinds = dict.fromkeys(read.kind for read in self.reads if not read.compared)
        return [_REMEDIES[kind] for kind in kinds if kind in _REMEDIES]


class UsedName(msgspec.Struct, frozen=True):
    """A name in the code of an asset, and the definition that uses it."""

    name: str
    definition: str
    file: str
    line: int


class AssetReads(msgspec.Struct, frozen=True):
    """What an asset depends on besides its upstreams: what its step read, and in its code the names
    that look like a clock or chance, and what cannot be followed. `ran` is False for an asset that
    has never run, and `observes` where its reads are not observed."""

    key: str
    observed: ObservedReads
    clock: tuple[UsedName, ...] = ()
    chance: tuple[UsedName, ...] = ()
    not_followed: tuple[UsedName, ...] = ()
    ran: bool = True
    observes: bool = True

    @property
    def is_empty(self) -> bool:
        return (
            not (self.observed.reads or self.clock or self.chance or self.not_followed)
            and self.observed.known
        )


def observed_reads(facts: StoreFacts, target: Target) -> ObservedReads:
    """What the step of the current value of `target` read."""
    from assetgraph.planning.undeclared_edges import undeclared_edges

    known = facts.of(target)
    attempt = known.current or known.failed
    if known.external or attempt is None or attempt.observed is None:
        return ObservedReads()
    reads = facts.reads.recorded(attempt.observed)
    if reads is None:
        return ObservedReads(known=False)
    differing = known.read_changes if known.current else known.failed_reads
    changes = {
        (one.kind, one.name): read_text(one.kind.value, one.name, one.how, one.why)
        for one in differing or ()
    }
    edges = undeclared_edges(facts.graph, facts.outputs, [target.key], reads)
    made_by = {edge.name or edge.upstream: edge.upstream for edge in edges}
    return ObservedReads(
        tuple([
            _view(read, changes.get((read.kind, read.name), ""), made_by.get(read.name, ""))
            for read in reads
        ])
    )  # fmt: skip


def covered(facts: StoreFacts, computation: Computation) -> tuple[Definition, ...]:
    """The definitions that the version of a computation covers, with notes on what cannot be
    followed. Of files that its step opens there are none, unless nothing is observed."""
    covers = facts.store.code.covers(computation)
    if not (facts.store.observes and computation.observe_reads):
        return covers
    from assetgraph.code.blind_spots import is_observed

    return tuple(
        msgspec.structs.replace(one, notes=tuple(n for n in one.notes if not is_observed(n)))
        if one.notes
        else one
        for one in covers
    )


def asset_reads(facts: StoreFacts, targets: Iterable[Target]) -> Iterator[AssetReads]:
    """What each of these assets or partitions depends on besides its upstreams. Of an asset with
    partitions, it is what the newest attempt at one of them read."""
    for asked in targets:
        computation = facts.graph.computation(asked.key)
        if computation.is_external:
            continue
        target = facts.newest_target(asked.key) if asked.partition is None else asked
        known = facts.of(target)
        covers = covered(facts, computation)
        yield AssetReads(
            asked.text,
            observed_reads(facts, target),
            clock=tuple(_used(covers, _CLOCK)),
            chance=tuple(_used(covers, _CHANCE)),
            not_followed=tuple(
                UsedName(note, one.name, one.file, one.line) for one in covers for note in one.notes
            ),
            ran=known.current is not None or known.failed is not None,
            observes=facts.store.observes and computation.observe_reads,
        )


def _view(read: ObservedRead, change: str, made_by: str) -> ReadView:
    compared = _COMPARED.get(read.kind.value, "")
    if read.note and not read.digest:
        compared = ""
    at = datetime.fromtimestamp(read.stamp[1] / 1e9, UTC) if read.stamp else None
    return ReadView(read.kind.value, read.name, compared, read.note, at, change, made_by)


def _used(covers: Iterable[Definition], names: re.Pattern[str]) -> Iterator[UsedName]:
    for one in covers:
        for name in one.volatile:
            if names.search(name):
                yield UsedName(name, one.name, one.file, one.line)
