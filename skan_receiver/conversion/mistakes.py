"""What makes a window's part of a schema wrong, beyond its shape."""

from collections.abc import Callable
from dataclasses import dataclass

from skan_receiver.conversion.document import WrittenWindow
from skan_receiver.conversion.meaning import COARSE, rank
from skan_receiver.conversion.problems import Problems
from skan_receiver.conversion.schema import Window


@dataclass(frozen=True, slots=True)
class Checked:
    """A window as it was written, as it was compiled, and who hears of its mistakes."""

    written: WrittenWindow
    window: Window
    problems: Problems


def check_window(written: WrittenWindow, window: Window, problems: Problems) -> None:
    for check in CHECKS:
        check(Checked(written, window, problems))


def fine_values_in_window_0_only(checked: Checked) -> None:
    """Apple sends coarse values only in the second and third postback."""
    written, problems = checked.written, checked.problems
    if not checked.window.index:
        return
    if written.fine is not None:
        problems.error("window 0 alone has fine values: write `coarse` here", "fine")
    if written.coarse_for_fine is not None:
        problems.error("window 0 alone has fine values: delete it", "coarse_for_fine")


def some_value(checked: Checked) -> None:
    written = checked.written
    if written.fine is None and written.coarse is None and not checked.problems.partial:
        checked.problems.error("has no values: add `fine` (window 0) or `coarse`, or delete it")


def one_coarse_value(checked: Checked) -> None:
    """In window 0 the coarse value has rules of its own, or goes with the fine one."""
    written, window, problems = checked.written, checked.window, checked.problems
    if written.coarse is not None and written.coarse_for_fine is not None:
        problems.error("is said by `coarse` as well: keep one of the two", "coarse_for_fine")
    spans = written.coarse_for_fine or {}
    for cell in window.fine.cells if window.fine else ():
        said = [name for name in COARSE if cell.value in spans.get(name, ())]  # type: ignore[call-overload]
        if written.coarse is not None:
            said.append("one by `coarse`")
        others = [name for name in said if name != cell.coarse]
        if cell.coarse and others:
            what = f"{cell.value} goes with {cell.coarse} here and with {others[0]} elsewhere"
            problems.error(f"{what}: keep one of them", "fine", *cell.at, "coarse")


def coarse_values_apart(checked: Checked) -> None:
    spans = checked.written.coarse_for_fine or {}
    for index, (name, values) in enumerate(spans.items()):
        for other, others in list(spans.items())[:index]:
            if shared := sorted(values & others):
                what = f"has {shared[0]}, which {other} has too: a fine value goes with one"
                checked.problems.error(what, "coarse_for_fine", name)


def every_rule_can_win(checked: Checked) -> None:
    """A rule whose users all fit earlier rules never gives its value."""
    window, problems = checked.window, checked.problems
    for part, scale in (("fine", window.fine), ("coarse", window.coarse)):
        for cell, region in zip(scale.cells, scale.regions, strict=True) if scale else ():
            if not region.boxes:
                what = f"can never give {cell.value}: earlier rules take all its users"
                problems.error(f"{what}; move it up, or delete it", part, *cell.at)


def the_lock_can_close(checked: Checked) -> None:
    window, problems = checked.window, checked.problems
    if (lock := window.lock) is None or problems.partial:
        return
    fine = [rank(cell.value) for cell in window.fine.cells] if window.fine else []
    if lock.fine is not None and lock.fine > max(fine, default=-1):
        what = f"{lock.fine} is above every fine value of the window"
        problems.error(f"{what}, which would never lock", "lock", "fine")
    coarse = {rank(value) for value in window.meanings if value in COARSE}
    if lock.coarse is not None and rank(lock.coarse) > max(coarse, default=-1):
        what = f"{lock.coarse} is above every coarse value of the window"
        problems.error(f"{what}, which would never lock", "lock", "coarse")


CHECKS: tuple[Callable[[Checked], None], ...] = (
    fine_values_in_window_0_only,
    some_value,
    one_coarse_value,
    coarse_values_apart,
    every_rule_can_win,
    the_lock_can_close,
)
