"""`Site`: what every answer of the page is made from, and what keeps it up to date."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from assetgraph.errors import AssetGraphError, StoreError
from assetgraph.state import State
from assetgraph.web.answers import definitions_json, news_json
from assetgraph.web.board import Board
from assetgraph.web.event_pages import EventPages
from assetgraph.web.feed import Feed
from assetgraph.web.follow import Follower, News
from assetgraph.web.launch import Launcher
from assetgraph.web.workspace import Workspace

if TYPE_CHECKING:
    from assetgraph.graph import AssetGraph
    from assetgraph.project import Project

LIVE_INTERVAL_S = 0.03
QUIET_INTERVAL_S = 0.15
WATCH_INTERVAL_S = 0.5
SWEEP_INTERVAL_S = 10.0
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
        self.event_pages = EventPages(self.store)
        self.launcher = Launcher(project, self.store)
        self.watching = watch
        self.changed_on_disk = False
        self.turn = threading.RLock()
        self._board = Board(State(self.workspace.graph, self.store))
        self._loaded = threading.Event()
        self._loading = threading.Lock()
        self._swept_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def graph(self) -> AssetGraph:
        return self.workspace.graph

    @property
    def board_now(self) -> Board:
        """The board as it was when the store was last looked at."""
        return self._board

    def board(self) -> Board:
        """The board, as the store is at this moment. The first call waits for the definitions."""
        self._loaded.wait(_LOAD_PATIENCE_S)
        if time.monotonic() - self._swept_at > SWEEP_INTERVAL_S:
            self.sweep()
        else:
            self.look()
        return self._board

    def state(self) -> State:
        """Facts read anew, for a plan."""
        self._loaded.wait(_LOAD_PATIENCE_S)
        return State(self.graph, self.project.open_store())

    def look(self) -> None:
        """Take over what runs wrote since the last look, and tell the open pages."""
        with self.turn:
            news = self.follower.look()
            changed = self._board.refresh(news.assets, self.follower.running())
            self._tell(news, changed)

    def sweep(self) -> None:
        """Look at every asset: a value may have been changed or removed by anybody."""
        with self.turn:
            news = self.follower.look()
            changed = self._board.refresh(self._board.graph.order, self.follower.running())
            self._swept_at = time.monotonic()
            self._tell(news, changed)

    def reload(self) -> bool:
        """Read the definitions again; whether they are good."""
        with self._loading:
            return self._reload()

    def _reload(self) -> bool:
        good = self.workspace.load()
        with self.turn:
            if good:
                self._board = Board(State(self.graph, self.project.open_store()))
                self._board.refresh(self.graph.order, self.follower.running())
                self._swept_at = time.monotonic()
            self.changed_on_disk = False
        self._loaded.set()
        self._publish({"definitions": definitions_json(self)})
        return good

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
        overdue = time.monotonic() - self._swept_at > SWEEP_INTERVAL_S
        try:
            if overdue and self.feed.readers:
                self.sweep()
            else:
                self.look()
        except AssetGraphError as error:
            self._publish({"trouble": str(error)})
            time.sleep(1)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            changed = await asyncio.to_thread(self.workspace.changed_on_disk)
            if changed and self.watching:
                await asyncio.to_thread(self.reload)
            elif changed != self.changed_on_disk:
                self.changed_on_disk = changed
                self._publish({"definitions": definitions_json(self)})

    def _tell(self, news: News, changed: Iterable[Any]) -> None:
        views = [self._board.views[key] for key in changed]
        if news or views:
            self._publish(news_json(news, views, self))

    def _publish(self, message: dict[str, Any]) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.feed.publish, message)
