"""A site to look at: an application, a store with postbacks in it, and a browser's cookies."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Row
from werkzeug.test import TestResponse

from skan_receiver.config import Settings
from skan_receiver.storage import Store, access, apikeys, audit
from skan_receiver.storage.folder import import_folder
from skan_receiver.testing import Signer
from skan_receiver.web import create_app
from tests.receiving import Receiver

SCHEMAS = Path(__file__).parents[2] / "conversion_schemas"
PASSWORD = "correct horse battery staple"


class Site:
    """The application on a fresh store, which believes the receiver's keys."""

    def __init__(self, url: str, folder: Path, **settings: object) -> None:
        self.store = Store(url)
        self.receiver = Receiver(self.store)
        self.receiver.now = datetime.now(UTC).replace(microsecond=0)
        keys = folder / "keys.json"
        keys.write_text(json.dumps(self.receiver.signer.production_keys()))
        self.settings = Settings(
            **{"var": folder, "schemas": SCHEMAS, "keys": keys, "secret_key": "test"} | settings,  # type: ignore[arg-type]
            database_url=url,
        )
        import_folder(self.store, self.settings.schemas, self.receiver.now)
        self.app = create_app(self.settings)
        self.client = self.browser()

    @property
    def signer(self) -> Signer:
        return self.receiver.signer

    def browser(self) -> FlaskClient:
        """A client without cookies yet."""
        return self.app.test_client()

    def close(self) -> None:
        self.app.extensions["skan"].store.close()
        self.store.close()

    def invite(self) -> str:
        """The path of a one-time link for the admin."""
        token = access.ensure_admin(self.store, datetime.now(UTC))
        assert token
        return f"/login/{token}"

    def sign_in(self) -> FlaskClient:
        """Choose a password as the admin; the client is signed in from then on."""
        answer = self.submit(self.invite(), password=PASSWORD, again=PASSWORD)
        assert answer.status_code == 303
        return self.client

    def submit(self, path: str, **fields: str) -> TestResponse:
        """Open the form at `path`, fill it in and send it."""
        return self.client.post(path, data={"csrf_token": self.token(path), **fields})

    def token(self, path: str) -> str:
        """The hidden field of the form at `path`."""
        return token_of(self.client.get(path))

    def deeds(self) -> list[Row[Any]]:
        """The audit log, the newest first, but for who came and went."""
        with self.store.read() as connection:
            entries = audit.entries(connection)
        return [row for row in entries if row.action not in ("user.sign_in", "user.sign_out")]

    def walk(self, path: str, key: dict[str, str], **query: Any) -> Iterator[Any]:
        """The pages of a list of the API, each as told, up to the last."""
        cursor: str | None = None
        while True:
            asked = query | ({"cursor": cursor} if cursor else {})
            page: Any = self.client.get(f"/api/v1/{path}", query_string=asked, headers=key).json
            yield page
            if (cursor := page["next_cursor"]) is None:
                return

    def key(self, *scopes: str, partner: str | None = None) -> dict[str, str]:
        """The header of a new API key."""
        now = datetime.now(UTC)
        key = apikeys.create_key(self.store, "test", scopes, now, partner=partner)
        return {"Authorization": f"Bearer {key}"}


def token_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]
