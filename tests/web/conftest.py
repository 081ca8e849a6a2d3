"""A site to look at. Queries are tested on both stores where they are made; pages on one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.site import Site


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site without postbacks."""
    site = Site(sqlite_url, tmp_path)
    yield site
    site.close()


@pytest.fixture
def either_site(store_url: str, tmp_path: Path) -> Iterator[Site]:
    """The same, once on each store."""
    site = Site(store_url, tmp_path)
    yield site
    site.close()
