"""`AnswerCache`: the last answers to questions that take long, each worked out once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class AnswerCache(Generic[T]):
    """Keeps the last `most` answers. Who asks while an answer is worked out waits for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[Hashable, Future[T]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, question: Hashable, work_out: Callable[[], T]) -> T:
        with self._lock:
            known = self._answers.pop(question, None)
            answer: Future[T] = known or Future()
            self._answers[question] = answer
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        if known is None:
            try:
                answer.set_result(work_out())
            except BaseException as error:
                answer.set_exception(error)
                with self._lock:
                    self._answers.pop(question, None)
        return answer.result()
