"""What a program that the step starts may read: the files that its arguments name."""

from __future__ import annotations

import os
from typing import Any

from assetgraph.process.reads.recorder import Recorder, is_there

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_WRITES_TO = (">", ">>", "1>", "2>", "&>", ">|")


def started(recorder: Recorder, args: Any, folder: Any) -> None:
    """The step starts a program with `args`, in `folder`."""
    where = os.fsdecode(folder) if folder is not None else ""
    if isinstance(args, str | bytes | os.PathLike):
        _told_shell(recorder, os.fsdecode(args), where)
        return
    words = [os.fsdecode(one) for one in args]
    if len(words) == 3 and words[1] == "-c" and os.path.basename(words[0]) in _SHELLS:
        _told_shell(recorder, words[2], where)
    elif words:
        _uses(recorder, words, where)


def _told_shell(recorder: Recorder, line: str, folder: str) -> None:
    """The step has a shell do what a line says."""
    import shlex

    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        words = line.split()
    reads = []
    for before, word in zip(["", *words], words, strict=False):
        if before in _WRITES_TO:
            recorder.writes(os.path.join(folder, word))
        else:
            reads.append(word)
    _uses(recorder, reads, folder)


def _uses(recorder: Recorder, words: list[str], folder: str) -> None:
    if not words:
        return
    recorder.uses("program", os.path.basename(words[0]))
    for word in words:
        for text in {word, word.partition("=")[2]}:
            path = os.path.join(folder, text)
            if text and is_there(path):
                recorder.opened(path, by_program=True)
