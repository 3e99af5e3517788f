"""`PageState`: the data behind every answer of the page, and the task that keeps it up to date."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError, StoreError
from assetgraph.planning.facts import StoreFacts
from assetgraph.queries.event_pages import EventPages
from assetgraph.queries.store_watcher import Changes, StoreWatcher
from assetgraph.web.live.asset_table import AssetTable
from assetgraph.web.live.change_feed import ChangeFeed
from assetgraph.web.live.loaded_definitions import LoadedDefinitions
from assetgraph.web.shapes import changes_json

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.project.settings import Project

LIVE_INTERVAL_S = 0.03
QUIET_INTERVAL_S = 0.15
WATCH_INTERVAL_S = 0.5
SWEEP_INTERVAL_S = 10.0
SWEEP_SHARE = 50  # the pause between two sweeps, in durations of a sweep, at least
LOOK_SHARE = 8  # the pause after a look at partitions, in durations of it, while nobody asks
QUICK_SWEEP_S = 0.5  # an answer waits for a sweep only if the last one was quicker
SWEPT_AT_ONCE = 200
_LOAD_TIMEOUT_S = 120.0


class PageState:
    """One project, its store, and the open pages.

    Answers are made in threads; hold `lock` to read or change the table of assets.
    """

    def __init__(self, project: Project, *, watch: bool = False) -> None:
        self.project = project
        self.store = project.open_store()
        self.definitions = LoadedDefinitions(project)
        self.watcher = StoreWatcher(self.store)
        self.feed = ChangeFeed()
        self.event_pages = EventPages(self.store)
        self.watching = watch
        self.changed_on_disk = False
        self.trouble: str | None = None
        self.lock = threading.RLock()
        self._other_code_ran = False  # since the last look at the files
        self._table: AssetTable | None = None
        self._loaded = threading.Event()
        self._loading = threading.Lock()
        self._sweep_due = 0.0
        self._sweep_s = 0.0
        self._late: set[AssetKey] = set()  # assets with partitions that are to be looked at
        self._late_due = 0.0
        self._on_close: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def graph(self) -> AssetGraph:
        return self.definitions.graph

    def table(self) -> AssetTable:
        """The assets as the store has them now. The first call waits for the definitions."""
        self._loaded.wait(_LOAD_TIMEOUT_S)
        if time.monotonic() > self._sweep_due and self._sweep_s < QUICK_SWEEP_S:
            self.sweep()
        else:
            self.look()
        assert self._table is not None, "the definitions take too long to load"
        return self._table

    def facts(self) -> StoreFacts:
        """Facts from a fresh reading of the store, for a plan."""
        self._loaded.wait(_LOAD_TIMEOUT_S)
        return StoreFacts(self.graph, self.project.open_store())

    def definitions_json(self) -> dict[str, Any]:
        """Where the definitions come from, when they were loaded, and what is wrong with them."""
        return {
            **self.definitions.as_json(),
            "watching": self.watching,
            "changed_on_disk": self.changed_on_disk,
        }

    def look(self, *, patiently: bool = False) -> None:
        """Read what runs wrote since the last look, and send it to the open pages. `patiently`,
        assets with very many partitions are not looked at each time that one is made."""
        with self.lock:
            changes = self.watcher.look()
            self._refresh(changes, self._due(changes.assets, patiently))

    def renew_partitions(self) -> None:
        """Look which partitions there are by now, and send what changed to the open pages."""
        with self.lock:
            changed = self._table.renew_partitions() if self._table else set()
            if self._table is not None and changed:
                live, views = self.watcher.live, self._table.views
                self._publish(changes_json(Changes(), self.store, live, views, changed))

    def tell_gone(self, run_ids: Sequence[str]) -> None:
        """Tell the open pages that runs were deleted, of days that nobody watches too."""
        self.look()
        if run_ids:
            self._publish({"gone_runs": list(run_ids)})

    def sweep(self) -> None:
        """Check every asset, because anyone may change or remove a stored value.

        A sweep goes in batches, so that news of runs gets through between them. The pause after it
        grows with its duration: values in an object store take long to check.
        """
        begun = time.monotonic()
        self._sweep_due = begun + SWEEP_INTERVAL_S
        self.renew_partitions()
        order = self.graph.order
        for start in range(0, max(len(order), 1), SWEPT_AT_ONCE):
            with self.lock:
                changes = self.watcher.look()
                self._refresh(changes, changes.assets.union(order[start : start + SWEPT_AT_ONCE]))
        self._sweep_s = time.monotonic() - begun
        self._sweep_due = begun + max(SWEEP_INTERVAL_S, SWEEP_SHARE * self._sweep_s)

    def reload(self) -> bool:
        """Load the definitions again. Returns whether they are valid."""
        with self._loading:
            return self._reload()

    def reload_if_edited(self) -> bool:
        """Load the definitions again if files changed, or if they did not load the last time.

        A run that starts now reads the files as they are on disk, so the page must too. Returns
        whether it loaded them.
        """
        self._loaded.wait(_LOAD_TIMEOUT_S)
        with self._loading:
            if self.definitions.failure is None and not self.definitions.changed_on_disk():
                return False
            self._reload()
            return True

    def _reload(self) -> bool:
        valid = self.definitions.load()
        if valid or self._table is None:
            table = AssetTable(StoreFacts(self.graph, self.project.open_store()))
            table.refresh(self.graph.order, self.watcher.running())
            with self.lock:
                self._table = table
        self._sweep_due = 0.0  # values may have changed while the definitions loaded
        self.changed_on_disk = False
        self._loaded.set()
        self._publish({"definitions": self.definitions_json()})
        return valid

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the server ends."""
        self._on_close.append(callback)

    def close(self) -> None:
        """End all waiting: open streams, and requests whose body has not arrived."""
        self.feed.close()
        for callback in self._on_close:
            callback()

    async def run(self) -> None:
        """Keep the state up to date until canceled."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._start)
        await asyncio.gather(self._follow_store(), self._watch_files())

    def _start(self) -> None:
        try:
            self.watcher.start()
        except StoreError:
            pass  # a request for the runs reports it
        self.reload()

    async def _follow_store(self) -> None:
        while True:
            await asyncio.to_thread(self._look_safely)
            await asyncio.sleep(LIVE_INTERVAL_S if self.watcher.live else QUIET_INTERVAL_S)

    def _look_safely(self) -> None:
        trouble = None
        try:
            if time.monotonic() > self._sweep_due and self.feed.readers:
                self.sweep()
            else:
                self.look(patiently=True)
        except (AssetGraphError, OSError) as error:
            trouble = f"The store cannot be read: {error}"
        if trouble != self.trouble:
            self.trouble = trouble
            self._sweep_due = 0.0  # what changed in the meantime may have been missed
            self._publish({"trouble": trouble})

    async def _watch_files(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            ran, self._other_code_ran = self._other_code_ran, False
            changed = await asyncio.to_thread(self.definitions.changed_on_disk)
            # Staleness compares code versions: after a run of newer code, load that code.
            if changed and (self.watching or ran):
                await asyncio.to_thread(self.reload)
            elif changed != self.changed_on_disk:
                self.changed_on_disk = changed
                self._publish({"definitions": self.definitions_json()})

    def _due(self, keys: set[AssetKey], patiently: bool) -> set[AssetKey]:
        """The assets to look at now, of `keys` and of those that are late."""
        keys, self._late = keys | self._late, set()
        if patiently and time.monotonic() < self._late_due:
            self._late = {key for key in keys if key in self.graph.partitioned}
        return keys - self._late

    def _refresh(self, changes: Changes, keys: Iterable[AssetKey]) -> None:
        """Update the table's `keys`, and publish what changed there and in the store."""
        table, begun = self._table, time.monotonic()
        changed = table.refresh(keys, self.watcher.running()) if table else set()
        if keys:
            ended = time.monotonic()
            self._late_due = ended + LOOK_SHARE * (ended - begun)
        if table is not None and (changes.runs or changes.assets):
            self._other_code_ran = self._other_code_ran or table.ran_with_other_code(changed)
        if changes or changed:
            views = table.views if table else {}
            self._publish(changes_json(changes, self.store, self.watcher.live, views, changed))

    def _publish(self, message: dict[str, Any]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.feed.publish, message)
