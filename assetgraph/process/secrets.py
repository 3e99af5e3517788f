"""Secret values, which are masked in what steps print, log and raise, before it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "***"
_FEWEST = 6  # characters: a shorter value would be found in many words
_known: dict[str, None] = {}  # in every form in which they may be written
_pattern: re.Pattern[str] | None = None
_longest = 0


def hide(values: Iterable[str]) -> None:
    """Mask these values from now on, in this process. Those of fewer than six characters are left
    alone."""
    global _pattern, _longest
    new = [form for value in values if len(value) >= _FEWEST for form in _forms(value)]
    new = [form for form in new if form not in _known]
    if not new:
        return
    _known.update(dict.fromkeys(new))
    forms = sorted(_known, key=len, reverse=True)
    _longest = len(forms[0])
    _pattern = re.compile("|".join(map(re.escape, forms)))


def texts_in(value: Any) -> list[str]:
    """The texts of a secret value: its own, or those of what it holds. A variable in its place has
    none yet."""
    if hasattr(value, "env_var_name"):
        return []
    if isinstance(value, dict):
        return texts_in(list(value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return [text for item in value for text in texts_in(item)]
    reveal = getattr(value, "get_secret_value", None)  # of a `SecretStr`
    value = reveal() if callable(reveal) else value
    if isinstance(value, bytes):
        return [value.decode("utf-8", "backslashreplace")]
    return [] if value is None else [str(value)]


def any_hidden() -> bool:
    return _pattern is not None


def masked(text: str) -> str:
    """`text` without secret values."""
    return text if _pattern is None else _pattern.sub(HIDDEN, text)


def masked_data(value: Any) -> Any:
    """Plain data, such as metadata, without secret values in its texts."""
    if _pattern is None:
        return value
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list | tuple):
        return type(value)(map(masked_data, value))
    if isinstance(value, dict):
        return {masked_data(name): masked_data(item) for name, item in value.items()}
    return value


def mask_exception(error: BaseException | None) -> None:
    """Mask the texts that an exception was made with, and those of the ones that led to it or that
    it groups. The message of a group itself cannot be changed."""
    seen: set[int] = set()
    left = [error]
    while _pattern is not None and left:
        error = left.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        try:
            error.args = tuple(map(masked_data, error.args))
            for name, value in vars(error).items():
                if isinstance(value, str | list | tuple | dict):
                    setattr(error, name, masked_data(value))
        except Exception:
            pass  # an exception that cannot be changed: its record is masked
        left += (error.__cause__, error.__context__)
        if isinstance(error, BaseExceptionGroup):
            left += error.exceptions


class Mask:
    """Masks a stream that comes in pieces. What may be the beginning of a secret value is held back
    until it is decided."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be written now."""
        if _pattern is None:
            return text
        text, self._held = self._held + text, ""
        written, at = [], 0
        while True:
            begun = _begun(text, at)
            found = _pattern.search(text, at)
            if found is None or begun <= found.start():
                written.append(text[at:begun])
                self._held = text[begun:]
                return "".join(written)
            written += text[at : found.start()], HIDDEN
            at = found.end()

    def end(self) -> str:
        """What was held back."""
        held, self._held = self._held, ""
        return masked(held)


def _begun(text: str, at: int) -> int:
    """Where, from `at` on, the end of `text` may be the beginning of a longer secret value."""
    for start in range(max(at, len(text) - _longest + 1), len(text)):
        rest = text[start:]
        if any(len(form) > len(rest) and form.startswith(rest) for form in _known):
            return start
    return len(text)


def _forms(value: str) -> set[str]:
    """How a value may stand in a text: as it is, quoted for Python, JSON or an address, or in
    lines of its own."""
    import json
    from urllib.parse import quote, quote_plus

    lines = [line for line in value.splitlines() if len(line) >= 2 * _FEWEST]
    forms = {value, repr(value)[1:-1], json.dumps(value)[1:-1], *lines}
    forms |= {quote(value, safe=""), quote(value), quote_plus(value)}
    return forms
