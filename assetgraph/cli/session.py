"""The project that a command works on, with its store and graph, and requests for its runs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from assetgraph.errors import AssetGraphError
    from assetgraph.graph.asset_graph import AssetGraph
    from assetgraph.keys import AssetKey, Target
    from assetgraph.planning.facts import StoreFacts
    from assetgraph.planning.plan import Plan
    from assetgraph.planning.request import RunRequest
    from assetgraph.project.settings import Project
    from assetgraph.queries.plan_groups import Outline
    from assetgraph.storage.store import Store


class Session:
    """What the command line says about the project, and the parts of that project. Each part is
    created on first use, so a command pays only for what it needs."""

    def __init__(self) -> None:
        _import_msgspec()
        self.modules: tuple[str, ...] = ()
        self.store_folder: Path | None = None
        self.executor_name: str | None = None
        self.jobs: int | None = None
        self.dask_scheduler: str | None = None
        self.no_wait = False
        self.quiet = False
        self.may_create_store = False

    @cached_property
    def project(self) -> Project:
        """The project. Prints the warnings about its settings. Raises `ProjectError`."""
        from assetgraph.project.settings import find_project

        project = find_project(modules=self.modules, store=self.store_folder)
        if project.warnings:
            from assetgraph.cli.terminal.output import warn

            warn(project.warnings)
        return project

    @cached_property
    def store(self) -> Store:
        """The project's store, which need not exist yet. Raises `StoreError` if the person named
        another and there is none: its name may be mistyped."""
        store = self.project.open_store()
        if self.store_folder and not store.exists and not self.may_create_store:
            from assetgraph.errors import StoreError

            raise StoreError(
                f"there is no store in {self.store_folder}.",
                hint="Check the folder after --store. Only materialize and dev create one.",
            )
        return store

    @cached_property
    def graph(self) -> AssetGraph:
        """The valid graph. Raises `ProjectError` and `DefinitionsError`."""
        graph = self.project.load().graph.require_valid()
        self.remember_assets(graph)
        return graph

    @cached_property
    def facts(self) -> StoreFacts:
        from assetgraph.planning.facts import StoreFacts

        return StoreFacts(self.graph, self.store)

    def request(self, **asked: Any) -> RunRequest:
        """A request for a run with the fields `asked`, executed as the command's options say."""
        from assetgraph.planning.request import RunRequest

        return self.placed(RunRequest(**asked, default_partition=self.project.partition))

    def placed(self, request: RunRequest) -> RunRequest:
        """`request` with the command's options for where and how to execute it."""
        import msgspec

        return msgspec.structs.replace(
            request,
            executor=self.executor_name,
            jobs=self.jobs,
            dask_scheduler=self.dask_scheduler,
            wait=not self.no_wait,
        )

    def plan(self, request: RunRequest) -> Plan:
        """The plan of a run.

        Raises `ProjectError`, `DefinitionsError`, `SelectionError` and `ConfigError`.
        """
        from assetgraph.planning.request import facts_for, plan_run

        if request.selection and not self.graph.order:
            raise self._no_assets()
        with self.renamed(request.selection):
            self.facts = facts_for(request, self.facts)
            return plan_run(request, self.facts)

    def stale_outline(self, request: RunRequest) -> Outline | None:
        """The outline of the plan of a run: see `assetgraph.queries.plan_groups`. Raises as
        `plan`."""
        if not (request.stale and self.graph.partitioned):
            return None
        from assetgraph.queries.plan_groups import stale_outline

        with self.renamed(request.selection):
            return stale_outline(request, self.facts)

    def selected(self, selection: Sequence[str]) -> tuple[AssetKey, ...]:
        """The keys that a selection matches; every key for an empty selection."""
        from assetgraph.graph.selection import select

        if not selection:
            return self.graph.order
        if not self.graph.order:
            raise self._no_assets()
        with self.renamed(selection):
            return select(selection, self.graph, self.facts.state)

    def targets(self, selection: Sequence[str], *, each: bool) -> Sequence[Target] | None:
        """The targets that a selection with partitions names, and with `each`, every target of the
        assets that it names. None if it is about whole assets."""
        if not any("@" in text for text in selection) and not each:
            return None
        from assetgraph.graph.selection import names_partitions
        from assetgraph.planning.selected_targets import selected_targets

        if names_partitions(selection):
            with self.renamed(selection):
                return selected_targets(selection, self.facts)
        return self.facts.targets.of(self.selected(selection)) if each else None

    def recorded_targets(self, selection: Sequence[str]) -> Sequence[Target]:
        """The targets that a selection names, or those with a value of the assets that it names."""
        from assetgraph.planning.accept import acceptable

        named = self.targets(selection, each=False)
        return acceptable(self.facts, self.selected(selection)) if named is None else named

    def target(self, text: str) -> Target:
        """The asset that a person typed, or the partition of it, as in `trips@2023-03`.

        Raises `AssetGraphError`, with the names that resemble it.
        """
        from assetgraph.keys import Target
        from assetgraph.planning.selected_targets import no_partitions, partitions_named

        name, at, partition = text.partition("@")
        with self.renamed([name]):
            key = self.asset(name)
        if not at:
            return Target(key)
        if not self.facts.targets.is_partitioned(key):
            raise no_partitions([key])
        found = partitions_named(self.facts.targets, key, partition)
        if len(found) != 1:
            raise several_partitions(key.text, len(found), text)
        return found[0]

    def asset(self, text: str) -> AssetKey:
        """The key of an asset that a person typed. Raises `AssetGraphError`, with the names that
        resemble it, or with the assets that a function of this name makes."""
        from assetgraph.errors import AssetGraphError
        from assetgraph.text import listed

        key = self.key(text)
        made = self.graph.made_by(key.text)
        if made:
            raise AssetGraphError(
                f"{text!r} is a function, which makes {listed([one.text for one in made])}.",
                hint="Give the key of one asset.",
            )
        return self.graph.asset(key).key

    def recorded_name(self, text: str) -> str:
        """The text of an asset that a person typed, or of a partition of it, which need not exist
        any more; a shortened one is made whole where the project has it."""
        from assetgraph.errors import AssetGraphError

        name, at, partition = text.partition("@")
        key = self.key(name).text
        if not at:
            return key
        try:
            return self.target(text).text
        except AssetGraphError:  # it is gone, or the project does not load
            return f"{key}@{partition}"

    def key(self, text: str) -> AssetKey:
        """The key that a person typed. Raises `InvalidKeyError`, which for a selection says how to
        list what it selects."""
        from assetgraph.errors import InvalidKeyError
        from assetgraph.hints import command
        from assetgraph.keys import AssetKey

        if ":" in text and (check := self._check(text)) is not None:
            return check
        try:
            return AssetKey(text)
        except InvalidKeyError as error:
            error.hint = f"Give the key of one asset. To see all keys: {command('list')}"
            if _is_selection(text):
                error.hint = f"Give the key of one asset. To see those: {command('list', text)}"
            raise

    def _check(self, text: str) -> AssetKey | None:
        """The check that a person typed; None if the text is none of a check. Raises
        `AssetGraphError`, with the names that resemble it."""
        from assetgraph.errors import AssetGraphError
        from assetgraph.hints import command
        from assetgraph.keys import AssetKey, checked_asset
        from assetgraph.text import did_you_mean

        key = AssetKey.unchecked(text)
        if key in self.graph.checks:
            return key
        asset = checked_asset(key)
        if asset is None or asset not in self.graph.assets:
            return None
        raise AssetGraphError(
            f"{asset.text!r} has no check {text!r}.",
            hint=did_you_mean(text, [one.text for one in self.graph.checks])
            or f"See its checks with: {command('show', asset.text)}",
        )

    def defined_names(self) -> Sequence[str]:
        """The keys of the assets as texts; none if the project cannot be loaded, which what only
        reads the store need not care about."""
        from assetgraph.errors import AssetGraphError

        try:
            return [key.text for key in self.project.load().graph.assets]
        except AssetGraphError:
            return ()

    @contextmanager
    def renamed(self, texts: Sequence[str]) -> Iterator[None]:
        """Say in an error about an unknown asset what it is called now, if it was renamed. `texts`
        are what a person typed."""
        from assetgraph.errors import AssetGraphError

        try:
            yield
        except AssetGraphError as error:
            from assetgraph.keys import AssetKey

            for key in (AssetKey.unchecked(text.strip("+")) for text in texts):
                present = self.store.names.present_name(key)
                if key not in self.graph and present in self.graph:
                    error.hint = f"It was renamed to {present.text!r}."
            raise

    def remember_assets(self, graph: AssetGraph) -> None:
        """Save the asset names for the Tab key, if the project has a store."""
        from assetgraph.cli.remembered_assets import remember_assets

        remember_assets(self.project, [key.text for key in graph.order])

    def tell_of_interrupted_run(self) -> None:
        """Note if the newest run was interrupted, in which steps, and how to continue it. A run
        that cannot be read is only a warning: nothing else depends on it."""
        newest = None if self.quiet else next(self.store.runs.ids(), None)
        if newest is None:
            return
        from assetgraph.errors import StoreError, UnknownRunError
        from assetgraph.records import RunStatus

        try:
            if self.store.runs.read(newest).status is not RunStatus.INTERRUPTED:
                return
            from assetgraph.queries.run_views import run_details

            details = run_details(self.store, newest)
        except UnknownRunError:
            return  # it was deleted since it was listed
        except StoreError as error:
            from assetgraph.cli.terminal.output import warn

            warn([str(error)])
            return
        from assetgraph.cli.render.interrupted_run import interrupted_run
        from assetgraph.cli.terminal.output import say, stderr

        say(interrupted_run(details, stderr().width))

    def _no_assets(self) -> AssetGraphError:
        """The error for a selection in a project without assets."""
        from assetgraph.errors import AssetGraphError
        from assetgraph.hints import command
        from assetgraph.text import listed

        named = listed(repr(module) for module in self.project.modules)
        word = "module" if len(self.project.modules) == 1 else "modules"
        return AssetGraphError(
            f"there are no assets in the {word} {named}.",
            hint="Decorate a function there with @assetgraph.asset, or add a first asset to a "
            f"package with: {command('scaffold', 'asset', 'NAME.py')}",
        )


def several_partitions(key: str, count: int, text: str) -> AssetGraphError:
    """The error for a range of partitions where one is needed."""
    from assetgraph.errors import AssetGraphError
    from assetgraph.hints import command

    return AssetGraphError(
        f"{text!r} names {count:,} partitions, and one is needed.",
        hint=f"Give one, as in {key}@KEY. To see them: {command('partitions', 'list', key)}",
    )


def _is_selection(text: str) -> bool:
    """Whether a text that is no key is a selection of assets, such as `group:raw` or `+trips`."""
    from assetgraph.definitions.selection.syntax import parse
    from assetgraph.errors import SelectionError

    try:
        parse(text)
    except SelectionError:
        return False
    return True


def _import_msgspec() -> None:
    """Import msgspec without `typing_extensions`, which it prefers where that is installed: 30 ms
    for names that the typing of Python 3.11 has too."""
    if "typing_extensions" not in sys.modules:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
        try:
            import_module("msgspec")
        finally:
            del sys.modules["typing_extensions"]
