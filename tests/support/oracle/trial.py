"""Trials: an edit of a project, brought up to date, and compared with the same from scratch."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import oracle.places_of_functions
import oracle.places_of_modules
import oracle.places_of_values  # noqa: F401  (each registers places)
from oracle.edits import Edit, edits_of_data, mutations, written_edits
from oracle.idioms import Idiom
from oracle.neutral import neutral_edits
from oracle.places import ALIKE, COUNTS_IN, LIMITS, PLACES, Files
from oracle.server import FAILED, SKIPPED, Answer, Server

EDITED_BACK = 0.25  # how often an edit is undone, to see that the old value comes back
# Notes about what is followed in another way: by expressions, or by observing what a step reads.
FOLLOWED = ("so the expression that makes it counts", "reads a file", "reads or writes a file")
SAME_SECOND = 1_700_000_000  # only what is in a file tells edits apart
SETTINGS = '[tool.assetgraph]\nmodule = "pipeline"\n'


class Verdict(StrEnum):
    """What became of an edit.

    `seen`: the value is another, and the asset ran. `kept`: it is the same, and nothing ran.
    `cautious`: the code is another and the asset ran, though its value came out the same.
    `needless`: something ran after a neutral edit. `missed`: a value is not what it is from
    scratch, and nothing ran. `wrong`: the same, though something ran. `said`: one of these two,
    where `show` says that the code cannot be followed, or the documentation names the limit.
    `broken`: the edited project does not run, or its value differs from process to process.
    """

    SEEN = "seen"
    KEPT = "kept"
    CAUTIOUS = "cautious"
    NEEDLESS = "needless"
    MISSED = "missed"
    WRONG = "wrong"
    SAID = "said"
    BROKEN = "broken"


class Trial(NamedTuple):
    """One edit and what became of it."""

    idiom: str
    place: str
    edit: str
    verdict: Verdict
    neutral: bool
    detail: str = ""

    @property
    def is_bad(self) -> bool:
        return self.verdict in (Verdict.WRONG, Verdict.MISSED, Verdict.NEEDLESS)


class Bench:
    """Two servers and a folder: one materializes projects from scratch, before they are edited and
    after it, and one brings them up to date at the same time."""

    def __init__(self, folder: Path, seed: int, libraries: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.scratch, self.after = (Server(seed + n, libraries) for n in (1, 2))

    def close(self) -> None:
        for server in (self.scratch, self.after):
            server.close()

    def trials(
        self, idiom: Idiom, place: str, chance: random.Random, most: tuple[int, int]
    ) -> Iterator[Trial]:
        """Trials of at most `most` mutations and neutral edits of one project, besides those that
        the idiom names. None, if the idiom makes no sense in this place."""
        try:
            files = PLACES[place](idiom)
        except SyntaxError:
            return
        home, kept = self.folder / "project", self.folder / "kept"
        write(home, files)
        first = self.scratch.ask(home, variables_of(files))
        if first.error or FAILED in first.values.values():
            return
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(home / ".assetgraph", kept)
        for edit in _edits(idiom, place, files, chance, most):
            write(home, edit.files)
            shutil.copytree(kept, home / ".assetgraph")
            given = variables_of(edit.files)
            updated = self.after.begin(home, given, stale=True)
            write(self.folder / "scratch", edit.files)
            scratch = self.scratch.ask(self.folder / "scratch", given)
            now = updated()
            neutral = edit.neutral and edit.name not in COUNTS_IN.get(place, ())
            limit = idiom.limit or LIMITS.get(place, "")
            verdict, detail = judge(first, now, scratch, neutral, limit)
            if verdict in (Verdict.WRONG, Verdict.MISSED, Verdict.SAID):
                again = self.after.ask(self.folder / "scratch", given)
                if again.values != scratch.values:
                    verdict, detail = Verdict.BROKEN, "its value differs from process to process"
            if verdict is Verdict.SEEN and chance.random() < EDITED_BACK:
                for name in edit.files.keys() - files.keys():
                    (home / name).unlink(missing_ok=True)
                write_files(home, files)
                back = self.after.ask(home, variables_of(files), stale=True)
                if back.values != first.values:
                    verdict, detail = Verdict.WRONG, f"edited back: {back.values!r:.100}"
            yield Trial(idiom.title, place, edit.name, verdict, neutral, detail)


def projects(idioms: list[Idiom], places: list[str], seed: int) -> list[tuple[Idiom, str]]:
    """Every idiom in every place, so mixed that a part of them has each idiom equally often."""
    chance = random.Random(seed)
    rows = [[(idiom, place) for place in chance.sample(places, len(places))] for idiom in idioms]
    return [project for column in zip(*rows, strict=True) for project in column]


def judge(
    first: Answer, now: Answer, scratch: Answer, neutral: bool, limit: str
) -> tuple[Verdict, str]:
    """What became of an edit: `first` is the project before it, `now` after it with `--stale`, and
    `scratch` after it in an empty store."""
    if scratch.error or now.error:
        same = bool(scratch.error) == bool(now.error)
        return (Verdict.BROKEN, "") if same else (Verdict.WRONG, now.error or "it loads only now")
    made = {key: value for key, value in scratch.values.items() if value != SKIPPED}
    off = [key for key, value in made.items() if now.values.get(key) != value]
    if off:
        key = off[0]
        detail = f"{key}: {now.values.get(key)!r:.60} and not {scratch.values[key]!r:.60}"
        if limit or any(not any(text in note for text in FOLLOWED) for note in now.notes):
            return Verdict.SAID, detail
        return (Verdict.WRONG if now.ran else Verdict.MISSED), detail
    if FAILED in scratch.values.values():
        return Verdict.BROKEN, ""
    changed = [key for key, value in scratch.values.items() if first.values.get(key) != value]
    extra = [key for key in now.ran if key not in changed]
    if extra and neutral:
        return Verdict.NEEDLESS, ", ".join(extra)
    if not now.ran:
        return Verdict.KEPT, ""
    return (Verdict.SEEN if changed else Verdict.CAUTIOUS), ""


def _edits(
    idiom: Idiom, place: str, files: Files, chance: random.Random, most: tuple[int, int]
) -> Iterator[Edit]:
    neutral = [*neutral_edits(files), *_moves(idiom, place)]
    yield from chance.sample(neutral, min(most[1], len(neutral)))
    yield from mutations(files, chance, most[0])
    written = [*written_edits(idiom, files), *edits_of_data(idiom, files)]
    yield from chance.sample(written, min(2, len(written)))


def _moves(idiom: Idiom, place: str) -> Iterator[Edit]:
    """The same code in another module, or imported in another way."""
    for other in ALIKE if place in ALIKE else ():
        if other != place:
            yield Edit(f"moved: {other}", PLACES[other](idiom), True)


def write(folder: Path, files: Files) -> None:
    """Make a folder hold exactly a project, without a store."""
    shutil.rmtree(folder, ignore_errors=True)
    write_files(folder, files)


def write_files(folder: Path, files: Files) -> None:
    """Write the files of a project. A name with `$` is a variable, not a file."""
    for name, text in (files | {"pyproject.toml": SETTINGS}).items():
        file = folder / name
        if not name.startswith("$"):
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(file, text)
            os.utime(file, (SAME_SECOND, SAME_SECOND))


def _write(file: Path, text: str) -> None:
    kind, mark, held = text.partition(":")
    if not mark or kind not in WRITERS:
        file.write_text(text, encoding="utf-8")
    else:
        WRITERS[kind](file, held)


def _parquet(file: Path, held: str) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(json.loads(held)), file)


def _feather(file: Path, held: str) -> None:
    import pyarrow as pa
    from pyarrow import feather

    feather.write_feather(pa.table(json.loads(held)), str(file))


def _npy(file: Path, held: str) -> None:
    import numpy as np

    np.save(file, np.array(json.loads(held)))


def _gzip(file: Path, held: str) -> None:
    file.write_bytes(gzip.compress(held.encode(), mtime=0))


WRITERS: dict[str, Callable[[Path, str], None]] = {
    "parquet": _parquet,
    "feather": _feather,
    "npy": _npy,
    "gzip": _gzip,
}


def variables_of(files: Files) -> dict[str, str]:
    return {name[1:]: text for name, text in files.items() if name.startswith("$")}
