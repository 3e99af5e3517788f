"""Sentences about code that cannot be followed, in the words that `show` uses; and the names that
look as if a value may change by itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Set

_BY_FULL_NAME = {
    "globals": "`globals()` is read, so everything in the module counts",
    "locals": "`locals()` reads names when it runs",
    "vars": "`vars()` reads names when it runs",
    "eval": "`eval` runs text",
    "exec": "`exec` runs text",
    "compile": "`compile` makes code from text",
    "__import__": "`__import__` chooses a module when it runs",
    "open": "`open` reads or writes a file",
    "sys.modules": "`sys.modules` is read when it runs",
    "os.system": "`os.system` runs another program",
    "os.popen": "`os.popen` runs another program",
}
_BY_LAST_WORD = {
    "import_module": "`import_module` chooses a module when it runs",
    "get_type_hints": "`get_type_hints` reads annotations when it runs",
    "run_path": "`run_path` runs a file",
    "run_module": "`run_module` chooses a module when it runs",
}
_BY_ATTRIBUTE = {
    "__subclasses__": "`__subclasses__` finds classes when it runs",
    "__doc__": "`__doc__` reads a docstring when it runs",
    "__name__": "`__name__` is read when it runs",
    "__qualname__": "`__qualname__` is read when it runs",
    "__annotations__": "`__annotations__` is read when it runs",
    "__dict__": "`__dict__` reads names when it runs",
    "__globals__": "`__globals__` reads names when it runs",
    "__code__": "`__code__` is read when it runs",
    "read_text": "`read_text` reads a file",
    "read_bytes": "`read_bytes` reads a file",
}
# Of these, what is read is observed while the step runs.
_OBSERVED = tuple(
    text
    for name, text in (_BY_FULL_NAME | _BY_ATTRIBUTE).items()
    if name in ("open", "read_text", "read_bytes")
)
COMPUTED_ATTRIBUTE = "`getattr` reads a name that is computed"

_VOLATILE = re.compile(
    r"""(^|[.:])(
        now|utcnow|today|time|time_ns|monotonic|monotonic_ns|perf_counter|localtime|gmtime
        |uuid1|uuid4|urandom|getrandbits|environ|environ\.get|getenv|getpid|gethostname|getuser|getcwd|cwd
        |token_hex|token_bytes|token_urlsafe|TemporaryDirectory|NamedTemporaryFile|mkdtemp|mkstemp
        )$
        |(^|[.:])(random|secrets)[.:]""",
    re.VERBOSE,
)


def blind_spot_of_name(name: str) -> str | None:
    """The sentence about a name from outside, spelled as in `File.names`; None if it can be
    followed."""
    dotted = name.removesuffix("[]").replace(":", ".").strip(".")
    text = _BY_FULL_NAME.get(dotted) or _BY_LAST_WORD.get(dotted.rpartition(".")[2])
    if text is None and dotted.startswith("subprocess."):
        return f"`{dotted}` runs another program"
    return text


def is_observed(note: str) -> bool:
    """Whether a note is about files that are observed while the step runs."""
    return note.endswith(_OBSERVED)


def blind_spot_of_attribute(attribute: str) -> str | None:
    """The sentence about an attribute of anything; None if it can be followed."""
    return _BY_ATTRIBUTE.get(attribute)


def volatile_names(names: Mapping[str, int], called: Set[str]) -> frozenset[int]:
    """The positions of the names that look like a clock, a source of chance or the environment. A
    function counts only where the text calls it or passes it to a call, not as a mere default:
    `called` has the last words of those."""
    found = {name: at for name, at in names.items() if _VOLATILE.search(name.removesuffix("[]"))}
    return frozenset(
        at for name, at in found.items() if "environ" in name or _last_word(name) in called
    )


def last_words(call: ast.Call) -> Iterator[str]:
    """The last word of each name in a call, as the function or an argument."""
    for node in (call.func, *call.args, *[keyword.value for keyword in call.keywords]):
        if node.__class__ is ast.Name:
            yield node.id
        elif node.__class__ is ast.Attribute:
            yield node.attr


def _last_word(name: str) -> str:
    return re.split("[.:]", name.removesuffix("[]"))[-1]
