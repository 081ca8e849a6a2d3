"""A site to look at. Queries are tested on both stores where they are made; pages on one."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.service import Service, folder
from tests.web.browser import browsing
from tests.web.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page


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


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest) -> Iterator["Page"]:
    """A fresh browser, in each colour scheme."""
    with browsing(request.param) as page:
        yield page


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The service as it is run: gunicorn has exceptions of its own."""
    place = folder()
    service = Service(f"sqlite:///{place}/skan.sqlite3", place)
    try:
        service.start(worker=False)
        yield service
    finally:
        service.stop()
        shutil.rmtree(place)
