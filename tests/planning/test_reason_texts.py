"""The sentences about what a step read."""

from __future__ import annotations

import pytest

from assetgraph.planning.reason_kinds import read_text, since_text
from assetgraph.records import ReadKind
from assetgraph.storage.present_reads import COMPARABLE


@pytest.mark.parametrize("how", ["changed", "gone", "appeared", "unreadable"])
@pytest.mark.parametrize("kind", sorted(COMPARABLE | {ReadKind.ASSET}))
def test_every_change_of_what_a_step_read_has_a_sentence(kind: ReadKind, how: str) -> None:
    assert "`name`" in read_text(kind, "name", how, "it is locked")
    if how != "unreadable":  # which is no reason to try a failed step again
        assert "`name`" in since_text(kind, "name", how)


def test_of_many_files_of_a_folder_the_sentences_speak_together() -> None:
    assert read_text("files", "data", "changed") == "files in `data`, which it read, changed"
    assert read_text("files", "data", "gone") == "files in `data`, which it read, are gone"
    assert since_text("files", "data", "changed") == "before files in `data` changed"
