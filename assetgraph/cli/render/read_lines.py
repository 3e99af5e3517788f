"""What steps read without declaring it: of one asset, and of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetgraph.cli.terminal.styled_text import Line, first_few, plural, wrapped
from assetgraph.cli.terminal.table import Column, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from assetgraph.queries.observed_views import AssetReads, ObservedReads, ReadView, UsedName

_COLUMNS = (
    Column("READ"),
    Column("NAME", least=20),
    Column("COMPARED", least=16),
)
_SHOWN = 20
LOST = "not known any more: the store lost it"


def read_lines(observed: ObservedReads, width: int | None, *, every: bool = False) -> list[Line]:
    """A table of what a step read, and what to do about what cannot be compared."""
    if not observed.known:
        return [Line("  ", ("! ", "warning"), LOST)]
    shown = observed.reads if every else observed.reads[:_SHOWN]
    lines = [Line("  ", line) for line in table(_COLUMNS, [*map(_row, shown)], width and width - 2)]
    if len(shown) < len(observed.reads):
        more = f"… and {len(observed.reads) - len(shown)} more (see --json)"
        lines.append(Line("  ", (more, "muted")))
    for remedy in observed.remedies:
        lines += Line(("! ", "warning"), remedy).broken(width, indent=2)
    return lines


def project_lines(found: Sequence[AssetReads], width: int | None) -> list[Line]:
    """What each asset depends on besides its upstreams; nothing of those that have none."""
    lines: list[Line] = []
    for one in found:
        if one.is_empty:
            continue
        lines += [Line(), Line((one.key, "name"))] if lines else [Line((one.key, "name"))]
        observed = one.observed
        lines += read_lines(observed, width, every=True) if _has_any(observed) else []
        lines += _used_lines("clock", one.clock, width)
        lines += _used_lines("chance", one.chance, width)
        lines += _used_lines("not followed", one.not_followed, width)
    return lines


def project_notes(found: Sequence[AssetReads], width: int | None) -> list[Line]:
    """What to know beside the list: where nothing was found, and whose reads are not known."""
    never = [one.key for one in found if not one.ran]
    notes = []
    if all(one.is_empty for one in found) and len(never) < len(found):
        notes.append("Nothing was observed that is not declared.")
    if unobserved := [one.key for one in found if not one.observes]:
        notes.append(f"Not observed, by observe_reads: {', '.join(first_few(unobserved))}.")
    if never:
        notes.append(
            f"{plural(len(never), 'asset')} never ran, so what "
            f"{'it reads' if len(never) == 1 else 'they read'} is not known."
        )
    return [Line(text) for note in notes for text in wrapped(note, width or 100)]


def _has_any(observed: ObservedReads) -> bool:
    return bool(observed.reads) or not observed.known


def _row(read: ReadView) -> list[Line]:
    return [
        Line(read.kind),
        Line((read.name, "path")),
        Line("; ".join(_remarks(read))),
    ]


def _remarks(read: ReadView) -> Iterator[str]:
    if read.compared or "compared" not in read.note:
        yield read.compared or "cannot be compared"
    if read.note:
        yield read.note
    if read.made_by:
        is_value = read.kind == "asset"
        yield "it is not an upstream" if is_value else f"made by {read.made_by}, not an upstream"
    if read.change:
        yield "it differs now"


def _used_lines(what: str, used: Iterable[UsedName], width: int | None) -> list[Line]:
    return [
        line
        for one in used
        for line in Line(
            "  ",
            (f"{what}  ", "muted"),
            f"{one.name} in ",
            (f"{one.definition} ({one.file}:{one.line})" if one.line else one.definition, "path"),
        ).broken(width, indent=4)
    ]
