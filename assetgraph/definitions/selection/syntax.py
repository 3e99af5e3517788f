"""The grammar of the selection language, and its parser.

    selection = any
    any       = all ("or" all)*
    all       = one ("and" one)*
    one       = "not" one | [[levels] "+"] term ["+" [levels]]
    term      = name | field ":" value | "(" any ")" | function "(" [any] ")"
    function  = "roots" | "sinks" | "checks"

`+a` is `a` with everything upstream of it, `2+a` is `a` with two levels upstream; `a+` and `a+2` go
downstream. (In Dagster, a bare `+a` means one level, which is `1+a` here.) `not` binds more tightly
than `and`, and `and` more tightly than `or`. `roots()` are the assets without an upstream, and
`roots(x)` the assets of `x` without an upstream in `x`; `sinks` does the same downstream. `sources`
and `leaves` are other words for `roots` and `sinks`. `checks(x)` are the checks of the assets of
`x`, and `checks()` all checks. Every asset brings its checks, so that `x and not checks()` is `x`
without them.

A name is the text of a key; `*` stands for any characters, including none and `/`. Behind an `@`
stands a partition of it, a range as in `trips@2023-01..2023-03`, or `*` for all of them. The fields
are `key:`, `group:`, `tag:k` or `tag:k=v`, `kind:`, `owner:` and `status:`. Only blanks, `+`, `=`
and parentheses need quotes, double or single. A key that is a word of the language, or starts
with `-` or a digit, needs `key:`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NoReturn

import msgspec

from assetgraph.errors import SelectionError
from assetgraph.states import ASSET_STATE_WORDS, AssetState, state_words
from assetgraph.text import did_you_mean, listed

FIELDS = ("key", "group", "tag", "kind", "owner", "status")
WORDS = ("and", "or", "not", "roots", "sinks")
Function = Literal["roots", "sinks", "checks"]
FUNCTIONS: dict[str, Function] = {
    "roots": "roots",
    "sources": "roots",
    "sinks": "sinks",
    "leaves": "sinks",
    "checks": "checks",
}
MAX_DEPTH = 100


class Filter(msgspec.Struct, frozen=True):
    """The assets whose `field` matches `value`. For a tag, `value` is its name, and `tag_value` its
    value, or None for any. `partition` is the text behind the `@` of a name, if there is one."""

    field: str
    value: str
    tag_value: str | None
    start: int
    end: int
    partition: str | None = None


class Traversal(msgspec.Struct, frozen=True):
    """`operand` with this many levels upstream and downstream of it (None: all)."""

    operand: Expression
    upstream: int | None
    downstream: int | None
    start: int
    end: int


class Call(msgspec.Struct, frozen=True):
    """The assets of `operand` that have no parent (roots) or no child (sinks) in it, or the checks
    of its assets."""

    which: Function
    operand: Expression
    start: int
    end: int


class Not(msgspec.Struct, frozen=True):
    operand: Expression
    start: int
    end: int


class And(msgspec.Struct, frozen=True):
    parts: tuple[Expression, ...]
    start: int
    end: int


class Or(msgspec.Struct, frozen=True):
    parts: tuple[Expression, ...]
    start: int
    end: int


Expression = Filter | Traversal | Call | Not | And | Or
"""The text of a node is `text[start:end]`."""


def parse(text: str) -> Expression:
    """The tree of a selection. Raises `SelectionError` with the column of the error."""
    return _Parser(text).parse()


_BLANK = re.compile(r"\s*")
_WORD = re.compile(r"""[^\s()"'+:=,@]+(?:@[^\s()"'+]*)?""")
_VALUE = re.compile(r"""[^\s()"'+]+""")
_TAG_NAME = re.compile(r"""[^\s()"'+=]+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)\'""")
_LEVELS_BEFORE = re.compile(r"([0-9]*)\s*\+")
_LEVELS_AFTER = re.compile(r"\+\s*([0-9]*)(?!\w)")
_COLON = re.compile(r"\s*:")


class _Parser:
    """A recursive-descent parser of `text`. `at` is the position of the next character that is not
    blank, `end` the end of the last token."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = self.end = 0
        self.depth = 0
        self._skip_blanks()

    def parse(self) -> Expression:
        if self._is_at_end():
            self._fail("the selection is empty.", "Name assets, or select all with '*'.")
        expression = self._any()
        if not self._is_at_end():
            self._fail_at_trailing_text()
        return expression

    def _any(self) -> Expression:
        start = self.at
        parts = [self._all()]
        while self._take_word("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Or(tuple(parts), start, self.end)

    def _all(self) -> Expression:
        start = self.at
        parts = [self._one()]
        while self._take_word("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts), start, self.end)

    def _one(self) -> Expression:
        start = self.at
        if self._take_word("not"):
            self._deepen(start)
            operand = self._one()
            self.depth -= 1
            return Not(operand, start, self.end)
        upstream = self._levels(_LEVELS_BEFORE)
        operand = self._term()
        downstream = self._levels(_LEVELS_AFTER)
        if upstream == downstream == 0:
            return operand
        return Traversal(operand, upstream, downstream, start, self.end)

    def _levels(self, pattern: re.Pattern[str]) -> int | None:
        start = self.at
        match = self._take(pattern)
        if match is None:
            if pattern is _LEVELS_AFTER and self._take_sign("+"):
                self._fail(
                    "expected a number of levels after '+'.", "Write 'a+2', 'a+' or 'a or b'."
                )
            return 0
        if len(match[1]) > 9:
            self._fail(
                "the number of levels is too large.", "Leave the number out for all levels.", start
            )
        return int(match[1]) if match[1] else None

    def _term(self) -> Expression:
        start = self.at
        if self._take_sign("("):
            return self._until_closed(start)
        quoted = self._take_quoted()
        if quoted is not None:
            return self._filter("key", quoted, start)
        match = self._take(_WORD)
        if match is None:
            self._fail_at_missing_term()
        word = match[0]
        if self._take(_COLON):
            return self._field(word, start)
        which = FUNCTIONS.get(word.lower())
        if which and self._take_sign("("):
            return self._call(which, start)
        if self.text.startswith("(", self.end):
            calls = [f"{name}()" for name in FUNCTIONS]
            hint = (
                did_you_mean(f"{word}()", calls)
                or "The functions are roots(), sinks() and checks()."
            )
            self._fail(f"there is no function {word!r}.", hint, start)
        self._refuse_unfit_name(word, start)
        return self._filter("key", word, start)

    def _call(self, which: Function, start: int) -> Expression:
        if self._take_sign(")"):
            return Call(which, self._filter("key", "*", start), start, self.end)
        return Call(which, self._until_closed(start), start, self.end)

    def _until_closed(self, opened: int) -> Expression:
        self._deepen(opened)
        expression = self._any()
        self.depth -= 1
        if not self._take_sign(")"):
            if not self._is_at_end():
                self._fail_at_trailing_text()
            self._fail("this parenthesis is not closed.", "Add a ')'.", opened)
        return expression

    def _field(self, field: str, start: int) -> Expression:
        if field not in FIELDS:
            hint = did_you_mean(field, FIELDS) or f"The fields are {listed(FIELDS)}."
            self._fail(f"there is no field {field!r}.", hint, start)
        if field == "status":
            return self._filter(field, self._state(), start)
        if field == "tag":
            name = self._value(_TAG_NAME, "tag:")
            value = self._value(_VALUE, f"tag:{name}=") if self._take_sign("=") else None
            return Filter(field, name, value, start, self.end)
        return self._filter(field, self._value(_VALUE, f"{field}:"), start)

    def _value(self, pattern: re.Pattern[str], after: str) -> str:
        quoted = self._take_quoted()
        if quoted is not None:
            return quoted
        match = self._take(pattern)
        if match is None:
            self._fail(f"a value is missing after {after!r}.", f"Write one, as in '{after}name'.")
        return match[0]

    def _state(self) -> AssetState:
        start = self.at
        word = state_words(self._value(_VALUE, "status:"))
        # A shell eats the quotes of status:"never materialized".
        if word == "never" and self._take_word("materialized"):
            word = "never materialized"
        if word not in ASSET_STATE_WORDS:
            hint = (
                did_you_mean(word, ASSET_STATE_WORDS) or f"An asset is {listed(AssetState, 'or')}."
            )
            self._fail(f"there is no status {word!r}.", hint, start)
        return ASSET_STATE_WORDS[word]

    def _filter(self, field: str, value: str, start: int) -> Filter:
        if field != "key":
            return Filter(field, value, None, start, self.end)
        name, at, partition = value.partition("@")
        if at and not partition:
            self._fail(
                "a partition is missing after '@'.",
                f"Write one, as in '{name}@2023-01', or '{name}@*' for all.",
                start,
            )
        # Keys are in NFC, so that a name matches however the keyboard composed it.
        name = unicodedata.normalize("NFC", name)
        return Filter(field, name, None, start, self.end, partition if at else None)

    def _deepen(self, start: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._fail(
                f"the selection is nested more than {MAX_DEPTH} levels deep.",
                "Remove the parentheses and each 'not' that change nothing.",
                start,
            )

    def _is_at_end(self) -> bool:
        return self.at >= len(self.text)

    def _take_word(self, word: str) -> bool:
        match = _WORD.match(self.text, self.at)
        if match is None or match[0].lower() != word:
            return False
        self._advance(match.end())
        return True

    def _take_sign(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.at):
            return False
        self._advance(self.at + len(sign))
        return True

    def _take_quoted(self) -> str | None:
        if not self.text.startswith(("'", '"'), self.at):
            return None
        match = self._take(_QUOTED)
        if match is None:
            self._fail("this quote is not closed.", f"Add a {self.text[self.at]}.")
        return match[1] if match[1] is not None else match[2]

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self._advance(match.end())
        return match

    def _advance(self, end: int) -> None:
        self.at = self.end = end
        self._skip_blanks()

    def _skip_blanks(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _refuse_unfit_name(self, word: str, start: int) -> None:
        if word.lower() in WORDS:
            call = f"'{word}()', or " if word.lower() in ("roots", "sinks") else ""
            self._fail(
                f"{word!r} is a word of the selection language.",
                f"Write {call}'key:{word}' for the asset of that name.",
                start,
            )
        if word[0] == "-" or word[0].isdigit():
            self._fail(
                f"a name that starts with {word[0]!r} needs 'key:'.", f"Write 'key:{word}'.", start
            )

    def _fail_at_missing_term(self) -> NoReturn:
        if self._is_at_end():
            self._fail("the selection ends where a name is expected.", "Name an asset there.")
        found = self.text[self.at]
        hint = "Write '+a' for everything upstream of 'a', or '2+a' for two levels."
        self._fail(f"expected a name, not {found!r}.", hint if found == "+" else None)

    def _fail_at_trailing_text(self) -> NoReturn:
        match = _WORD.match(self.text, self.at)
        found = match[0] if match else self.text[self.at]
        if found == ")":
            self._fail("this parenthesis was never opened.", "Remove it.")
        hint = "Join two selections with 'or' or 'and'."
        if found == "+":
            hint = "Write 'a+' for everything downstream of 'a', or 'a+2' for two levels."
        elif "@" in self.text[: self.at] and '"' not in self.text:
            hint += " Quote a partition with blanks, as in '\"a@two words\"'."
        self._fail(f"{found!r} does not belong here.", hint)

    def _fail(self, message: str, hint: str | None = None, column: int | None = None) -> NoReturn:
        column = self.at if column is None else column
        raise SelectionError(message, hint=hint, text=self.text, column=column)
