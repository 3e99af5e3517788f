"""`Site`: what every answer of the page is made from, and what keeps it up to date."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError, StoreError
from assetgraph.planning.facts import StoreFacts
from assetgraph.queries.event_pages import EventPages
from assetgraph.queries.store_watcher import Follower, News
from assetgraph.web.api.shapes import definitions_json, news_json
from assetgraph.web.http.body_timeout import Patience
from assetgraph.web.live.asset_table import Board
from assetgraph.web.live.feed import Feed
from assetgraph.web.live.workspace import Workspace

if TYPE_CHECKING:
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey
    from assetgraph.project.settings import Project

LIVE_INTERVAL_S = 0.03
QUIET_INTERVAL_S = 0.15
WATCH_INTERVAL_S = 0.5
SWEEP_INTERVAL_S = 10.0
SWEEP_SHARE = 50  # a sweep is not begun sooner than so many times its own duration
QUICK_SWEEP_S = 0.5  # an answer waits for no longer one
SWEPT_AT_ONCE = 200
_LOAD_PATIENCE_S = 120.0


class Site:
    """One project, its store, and the pages that look at them.

    Answers are made in threads; `turn` is held by whoever reads or changes the board.
    """

    def __init__(self, project: Project, *, watch: bool = False) -> None:
        self.project = project
        self.store = project.open_store()
        self.workspace = Workspace(project)
        self.follower = Follower(self.store)
        self.feed = Feed()
        self.patience = Patience()
        self.event_pages = EventPages(self.store)
        self.watching = watch
        self.changed_on_disk = False
        self._other_code_ran = False  # than was loaded, since the files were last looked at
        self.turn = threading.RLock()
        self._board: Board | None = None
        self._loaded = threading.Event()
        self._loading = threading.Lock()
        self._sweep_due = 0.0
        self._sweep_s = 0.0
        self.trouble: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def graph(self) -> AssetGraph:
        return self.workspace.graph

    def board(self) -> Board:
        """The board, as the store is at this moment. The first call waits for the definitions."""
        self._loaded.wait(_LOAD_PATIENCE_S)
        if time.monotonic() > self._sweep_due and self._sweep_s < QUICK_SWEEP_S:
            self.sweep()
        else:
            self.look()
        assert self._board is not None, "the definitions take too long to load"
        return self._board

    def state(self) -> StoreFacts:
        """Facts read anew, for a plan."""
        self._loaded.wait(_LOAD_PATIENCE_S)
        return StoreFacts(self.graph, self.project.open_store())

    def look(self) -> None:
        """Take over what runs wrote since the last look, and tell the open pages."""
        with self.turn:
            news = self.follower.look()
            self._refresh(news, news.assets)

    def sweep(self) -> None:
        """Look at every asset: a value may have been changed or removed by anybody.

        Some at a time, so that what runs write is told meanwhile; and where it takes long, as it
        does with values in an object store, not again soon.
        """
        begun = time.monotonic()
        self._sweep_due = begun + SWEEP_INTERVAL_S
        order = self.graph.order
        for start in range(0, max(len(order), 1), SWEPT_AT_ONCE):
            with self.turn:
                self._refresh(self.follower.look(), order[start : start + SWEPT_AT_ONCE])
        self._sweep_s = time.monotonic() - begun
        self._sweep_due = begun + max(SWEEP_INTERVAL_S, SWEEP_SHARE * self._sweep_s)

    def reload(self) -> bool:
        """Read the definitions again; whether they are good."""
        with self._loading:
            return self._reload()

    def take_over_edits(self) -> bool:
        """Read the definitions again where files changed, or did not load: a run that starts now
        reads them as they are on disk. Whether they were read."""
        self._loaded.wait(_LOAD_PATIENCE_S)
        with self._loading:
            if self.workspace.failure is None and not self.workspace.changed_on_disk():
                return False
            self._reload()
            return True

    def _reload(self) -> bool:
        good = self.workspace.load()
        if good or self._board is None:
            board = Board(StoreFacts(self.graph, self.project.open_store()))
            board.refresh(self.graph.order, self.follower.running())
            with self.turn:
                self._board = board
        self._sweep_due = 0.0  # what changed, or was not at hand, while it was read
        self.changed_on_disk = False
        self._loaded.set()
        self._publish({"definitions": definitions_json(self)})
        return good

    def close(self) -> None:
        """Let nobody wait any longer: neither a page for news nor a request for its rest."""
        self.feed.close()
        self.patience.end()

    async def run(self) -> None:
        """Keep the site up to date until canceled."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._start)
        await asyncio.gather(self._follow(), self._watch())

    def _start(self) -> None:
        try:
            self.follower.start()
        except StoreError:
            pass  # whoever asks for the runs is told
        self.reload()

    async def _follow(self) -> None:
        while True:
            await asyncio.to_thread(self._look_safely)
            await asyncio.sleep(LIVE_INTERVAL_S if self.follower.live else QUIET_INTERVAL_S)

    def _look_safely(self) -> None:
        trouble = None
        try:
            if time.monotonic() > self._sweep_due and self.feed.readers:
                self.sweep()
            else:
                self.look()
        except (AssetGraphError, OSError) as error:
            trouble = f"The store does not read: {error}"
        if trouble != self.trouble:
            self.trouble = trouble
            self._publish({"trouble": trouble})

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            ran, self._other_code_ran = self._other_code_ran, False
            changed = await asyncio.to_thread(self.workspace.changed_on_disk)
            if changed and (self.watching or ran):  # what ran is judged by the code that ran
                await asyncio.to_thread(self.reload)
            elif changed != self.changed_on_disk:
                self.changed_on_disk = changed
                self._publish({"definitions": definitions_json(self)})

    def _refresh(self, news: News, keys: Iterable[AssetKey]) -> None:
        """Look at `keys` anew, and tell what became of them and what `news` holds."""
        board = self._board
        changed = board.refresh(keys, self.follower.running()) if board else set()
        if board is not None and news.runs:
            self._other_code_ran = self._other_code_ran or board.ran_with_other_code(changed)
        if news or changed:
            self._publish(news_json(news, self, board, changed))

    def _publish(self, message: dict[str, Any]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.feed.publish, message)
