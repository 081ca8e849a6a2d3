"""Group commit: who waits together is written together."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from skan_receiver.storage import GroupCommit


def test_waiting_callers_share_a_commit() -> None:
    """While one commit runs, those who come meanwhile are written by one more."""
    commits: list[list[int]] = []
    entered, go_on = Event(), Event()

    def write(items: Sequence[int]) -> list[int]:
        commits.append(list(items))
        entered.set()
        assert go_on.wait(5)
        return [item * 10 for item in items]

    commit = GroupCommit(write)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(commit, [0])
        assert entered.wait(5)
        others = [pool.submit(commit, [n]) for n in range(1, 9)]
        while len(commit._waiting) < 8:
            pass
        go_on.set()
        assert first.result() == [0]
        assert [other.result() for other in others] == [[n * 10] for n in range(1, 9)]
    assert len(commits) == 2


def test_a_failed_commit_fails_everybody_in_it_and_nobody_after() -> None:
    """Nobody is told 200 for what was not written; the next commit starts afresh."""
    fail = True

    def write(items: Sequence[int]) -> list[int]:
        if fail:
            raise OSError("disk full")
        return list(items)

    commit = GroupCommit(write)
    with pytest.raises(OSError, match="disk full"):
        commit([1])
    fail = False
    assert commit([2]) == [2]


def test_large_batches_are_split_between_commits_not_inside() -> None:
    """A commit stays short; a caller's items stay together."""
    commit: GroupCommit[int, int] = GroupCommit(lambda items: list(items))
    assert commit(list(range(2000))) == list(range(2000))
