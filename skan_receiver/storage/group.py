"""Group commit: one fsync for everybody who is waiting."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

# A commit of this many rows takes about 20 ms: long enough to pay, short enough to wait for.
LARGEST = 512

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Turn(Generic[Item, Result]):
    """One caller's items, and what became of them."""

    __slots__ = ("error", "items", "results")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.results: Sequence[Result] | None = None
        self.error: BaseException | None = None

    @property
    def over(self) -> bool:
        return self.results is not None or self.error is not None


class GroupCommit(Generic[Item, Result]):
    """Whoever gets the lock writes everybody's items; the others find theirs written.

    No thread of its own, no queue, no timer. `write` takes all items of a commit and returns
    one result each, in order; when it fails, it fails for every caller of that commit, since
    none of their items is durable.
    """

    def __init__(self, write: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._write = write
        self._waiting: list[_Turn[Item, Result]] = []
        self._arriving = threading.Lock()
        self._leading = threading.Lock()

    def __call__(self, items: Sequence[Item]) -> Sequence[Result]:
        """Return once `items` are durable; raise what `write` raised if they are not."""
        turn: _Turn[Item, Result] = _Turn(items)
        with self._arriving:
            self._waiting.append(turn)
        with self._leading:
            while not turn.over:
                self._lead()
        if turn.error is not None:
            raise turn.error
        assert turn.results is not None
        return turn.results

    def _lead(self) -> None:
        turns = self._take()
        try:
            results = self._write([item for turn in turns for item in turn.items])
        except BaseException as error:
            for turn in turns:
                turn.error = error
            return
        start = 0
        for turn in turns:
            turn.results = results[start : start + len(turn.items)]
            start += len(turn.items)

    def _take(self) -> list[_Turn[Item, Result]]:
        with self._arriving:
            count, rows = 0, 0
            for turn in self._waiting:
                rows += len(turn.items)
                if count and rows > LARGEST:
                    break
                count += 1
            taken, self._waiting = self._waiting[:count], self._waiting[count:]
            return taken
