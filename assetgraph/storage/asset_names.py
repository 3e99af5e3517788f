"""The names of assets, and the identities that their files in the store are called after.

The identity of an asset is the first name that it had. A renaming moves nothing: it is one line in
`names.jsonl`, after which the new name stands for the identity of the old one. The old name is then
free for another asset, whose identity is the name with a number: `trips~1`.

A store without renamings has no such file, and every name is its own identity.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime

import msgspec

from assetgraph.keys import AssetKey, Target
from assetgraph.storage.atomic_files import read_lines


class Renaming(msgspec.Struct, frozen=True):
    """One line of `names.jsonl`: the asset `old` is called `new` from then on."""

    old: str
    new: str
    timestamp: datetime


class AssetNames:
    """The renamings of a store, recorded in the file at `path`.

    They are as of the last `refresh`, so that nothing changes under a run. A worker on another
    machine gets them as `renamings`, since it may not see the file.
    """

    def __init__(self, path: str, renamings: Sequence[Renaming] | None = None) -> None:
        self.path = path
        self._stamp = (0, 0)
        self._replay(renamings or ())
        if renamings is None:
            self.refresh()

    def refresh(self) -> bool:
        """Read the renamings again if there are other ones now. Returns whether there were.

        Raises `DamagedStoreError`.
        """
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return False
        try:
            renamings = tuple(read_lines(self.path, Renaming))
        except FileNotFoundError:
            renamings = ()
        self._replay(renamings)
        self._stamp = stamp
        return True

    @property
    def is_current(self) -> bool:
        """Whether nothing was renamed since the last `refresh`."""
        return self._stamp_now() == self._stamp

    def identity(self, key: AssetKey) -> AssetKey:
        """The identity of the asset that is called `key` now."""
        if not self.renamings:
            return key
        text = key.text
        return AssetKey.unchecked(self._identities.get(text) or text.removesuffix("~"))

    def identity_of(self, target: Target) -> Target:
        """A target of the asset by its identity."""
        if not self.renamings:
            return target
        return target._replace(key=self.identity(target.key))

    def name(self, identity: AssetKey) -> AssetKey:
        """The present name of the asset with an identity; one that no asset has any more gets a
        `~` behind it."""
        if not self.renamings:
            return identity
        text = identity.text
        return AssetKey.unchecked(
            self._names.get(text) or (f"{text}~" if text in self._identities else text)
        )

    def present_name(self, key: AssetKey) -> AssetKey:
        """The present name of the asset that was called `key` before it was last renamed; `key`
        itself if no asset was."""
        moved = self._moved.get(key.text)
        return self.name(AssetKey.unchecked(moved)) if moved else key

    def _replay(self, renamings: Sequence[Renaming]) -> None:
        self.renamings = tuple(renamings)
        self._identities: dict[str, str] = {}  # by name, where they differ or have differed
        self._moved: dict[str, str] = {}  # the identity that last left each name
        for number, one in enumerate(renamings, 1):
            identity = self._identities.get(one.old, one.old)
            self._identities[one.old] = f"{one.old}~{number}"
            self._identities[one.new] = self._moved[one.old] = identity
        self._names = {identity: name for name, identity in self._identities.items()}

    def _stamp_now(self) -> tuple[int, int]:
        try:
            found = os.stat(self.path)
        except OSError:
            return 0, 0
        return found.st_size, found.st_mtime_ns
