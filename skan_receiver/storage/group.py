"""Group commit: one fsync for everybody who is waiting."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

# A commit of this many rows takes about 20 ms: long enough to pay, short enough to wait for.
LARGEST = 512

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Turn(Generic[Item, Result]):
    """One caller's items, what became of them, and a gate to wait at meanwhile."""

    __slots__ = ("_gate", "error", "items", "leads", "results")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.results: Sequence[Result] | None = None
        self.error: BaseException | None = None
        self.leads = False
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self) -> None:
        self._gate.acquire()

    def wake(self) -> None:
        self._gate.release()


class GroupCommit(Generic[Item, Result]):
    """One caller at a time leads: it writes everybody's items, and says who leads next.

    No thread of its own, no queue, no timer. `write` takes all items of a commit and returns
    one result each, in order; when it fails, it fails for every caller of that commit, since
    none of their items is durable.

    Each caller waits at a gate of its own. At one lock for all, those whose items are written
    would pass one after the other before the next could lead: with a thread a caller that took
    a third of the CPU and halved the size of a commit.
    """

    def __init__(self, write: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._write = write
        self._waiting: list[_Turn[Item, Result]] = []
        self._arriving = threading.Lock()
        self._led = False

    def __call__(self, items: Sequence[Item]) -> Sequence[Result]:
        """Return once `items` are durable; raise what `write` raised if they are not."""
        turn: _Turn[Item, Result] = _Turn(items)
        with self._arriving:
            self._waiting.append(turn)
            turn.leads, self._led = not self._led, True
        if not turn.leads:
            turn.wait()
        if turn.leads:
            self._lead(turn)
        if turn.error is not None:
            raise turn.error
        assert turn.results is not None
        return turn.results

    def _lead(self, own: _Turn[Item, Result]) -> None:
        turns = self._take()  # its own among them: it is the first that waits
        self._commit(turns)
        self._pass_on()
        for turn in turns:
            if turn is not own:
                turn.wake()

    def _commit(self, turns: Sequence[_Turn[Item, Result]]) -> None:
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

    def _pass_on(self) -> None:
        """Let the first that waits lead; nobody, when nobody does."""
        with self._arriving:
            self._led = bool(self._waiting)
            following = self._waiting[0] if self._led else None
        if following is not None:
            following.leads = True
            following.wake()

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
