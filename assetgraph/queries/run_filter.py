"""`RunFilter`: which runs to list. A name in it that exists nowhere is an error."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from assetgraph.errors import AssetGraphError
from assetgraph.hints import command
from assetgraph.records import RunRecord, RunStatus
from assetgraph.states import RUN_STATUS_WORDS, state_words
from assetgraph.text import did_you_mean, listed, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from assetgraph.storage.store import Store


class RunFilter(msgspec.Struct, frozen=True):
    """Which runs to list: those that meet every condition that is given.

    `assets` holds keys, and partitions such as `trips@2023-03`; a run of any of them counts. `tags`
    holds `KEY=VALUE`, or a `KEY` that may have any value. `text` is part of a run's id, of an
    asset's key, of a tag or of the name of who launched the run, in any case.
    """

    statuses: frozenset[RunStatus] = frozenset()
    assets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    text: str = ""

    def takes(self, run: RunRecord) -> bool:
        return (
            (not self.statuses or run.status in self.statuses)
            and (self.since is None or run.started_at >= self.since)
            and (not self.assets or any(_is_of(run, text) for text in self.assets))
            and all(_has_tag(run, tag) for tag in self.tags)
            and (not self.text or _mentions(run, self.text.casefold()))
        )

    def require_known(
        self,
        store: Store,
        found: Iterable[RunRecord],
        every_run: Callable[[], Collection[RunRecord]],
        defined: Callable[[], Collection[str]],
    ) -> None:
        """Raise `AssetGraphError` for an asset that is neither defined nor in the store, and for
        the name of a tag that no run has.

        `found` are runs that match, so what they have is known. Only for another name the store is
        searched, `defined` asked for the keys of the assets, and at last `every_run` read. Any
        value of a tag is a fair question, and so is any tag of a store without runs.
        """
        found = list(found)
        keys = {text.partition("@")[0] for text in self.assets}
        assets = keys.difference(*(run.assets for run in found))
        if assets:
            known = {*store.history.touched(), *defined()}
            if not assets <= known:
                known.update(*(run.assets for run in every_run()))
            for key in sorted(assets - known):
                hint = did_you_mean(key, known) or f"See them with: {command('list')}"
                raise AssetGraphError(f"there is no asset {key!r}, and no run of one.", hint=hint)
        names = dict.fromkeys(tag.partition("=")[0] for tag in self.tags)
        if names and not found and (runs := every_run()):
            given = {name for run in runs for name in run.tags}
            for name in names:
                if name not in given:
                    hint = did_you_mean(name, given) or some_of("The tags of runs", given)
                    raise AssetGraphError(f"no run has the tag {name!r}.", hint=hint)


def _is_of(run: RunRecord, text: str) -> bool:
    """Whether a run is about an asset, or one partition of it."""
    key, at, _ = text.partition("@")
    return key in run.assets and (not at or bool(run.steps_of([text]).keys() & {*run.step_ids}))


def _has_tag(run: RunRecord, tag: str) -> bool:
    key, equals, value = tag.partition("=")
    return key in run.tags and (not equals or run.tags[key] == value)


def _mentions(run: RunRecord, folded: str) -> bool:
    tags = (f"{name}={value}" for name, value in run.tags.items())
    words = chain((run.run_id, run.launched_by), run.assets, tags)
    return any(folded in word.casefold() for word in words)


def status_named(word: str) -> RunStatus:
    """The status of a run by any of its words. Raises `AssetGraphError`."""
    found = RUN_STATUS_WORDS.get(state_words(word))
    if found is None:
        hint = did_you_mean(state_words(word), RUN_STATUS_WORDS)
        raise AssetGraphError(
            f"there is no status {word!r}.", hint=hint or f"A run is {listed(RunStatus, 'or')}."
        )
    return found
