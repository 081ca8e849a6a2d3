"""Options that are read as the cells of a file are."""

from collections.abc import Callable
from typing import Any

import click


def cell(read: Callable[[str], Any]) -> Callable[..., Any]:
    """A callback for an option: what `read` makes of it, and its words where it makes nothing."""

    def callback(_ctx: object, _parameter: object, value: str | None) -> Any:
        try:
            return None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    return callback
