"""A program looks into a log, and imports it."""

import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from skan_receiver.storage import StoredPostback, audit
from skan_receiver.testing import encode
from skan_receiver.web import uploads
from tests.web.site import Site
from tests.web.test_upload_pages import log


def send(site: Site, path: str, content: bytes, key: dict[str, str]) -> TestResponse:
    return site.browser().post(f"/api/v1/uploads{path}", data=content, headers=key)


def test_a_log_is_looked_into_without_storing_it(either_site: Site) -> None:
    """Valid, invalid and why, unreadable by line, duplicates, what values mean; by a key that may
    only read, and leaving no file and no entry in the audit log."""
    site = either_site
    answer = send(site, "/check", gzip.compress(log(site)), site.key("read"))
    assert answer.status_code == 200
    said: Any = answer.json
    counts = ("lines", "postbacks", "new", "repeated", "known", "quarantined", "refused")
    assert [said[name] for name in counts] == [6, 4, 3, 1, 0, 1, 1]
    assert said["verdicts"] == {"valid": 3, "invalid": 1}
    (reason,) = said["reasons"]
    assert (reason["verdict"], reason["reason"]) == ("invalid", "signature does not match")
    assert [one["line"] for one in said["unreadable"]] == [5, 6]
    assert any("Big spender" in one["meaning"] for one in said["meanings"])
    assert [one["repeated"] for one in said["first"]] == [False, False, True, False]
    assert site.receiver.rows(StoredPostback) == []
    with site.store.read() as connection:
        assert audit.entries(connection) == []
    assert list((site.settings.var / "uploads").glob("*")) == []


def test_a_log_is_imported_once(either_site: Site) -> None:
    """A key with `write` may; who did is in the audit log. Sent again, it changes nothing."""
    site = either_site
    assert send(site, "", log(site), site.key("read")).status_code == 403
    content, key = log(site), site.key("write")
    answer = send(site, "?name=yesterday.ndjson", content, key)
    done: Any = answer.json
    assert answer.status_code == 200
    assert done["outcomes"] == {"stored": 3, "duplicate": 1, "quarantined": 1, "refused": 1}
    assert (done["lines"], [one["line"] for one in done["refused"]]) == (6, [6])
    again: Any = send(site, "", content, key).json
    assert again == {"lines": 6, "outcomes": {"imported_before": 6}, "refused": []}
    assert len(site.receiver.rows(StoredPostback)) == 3
    with site.store.read() as connection:
        first = audit.entries(connection)[-1]
    assert (first.action, first.subject) == ("postback.import", "yesterday.ndjson")


def test_two_who_send_the_same_at_once_import_it_once(either_site: Site) -> None:
    """Who comes second is told so; nothing is stored twice."""
    site = either_site
    content, key = log(site), site.key("write")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: send(site, "", content, key), range(4)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len(site.receiver.rows(StoredPostback)) == 3


@pytest.mark.parametrize("path", ["", "/check"])
def test_what_is_no_whole_file_is_refused_as_a_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A gzip that was cut short, one that unpacks to more than may be, and a body that is too
    large: none of it is imported."""
    key, zipped = site.key("admin"), gzip.compress(log(site))
    cut = send(site, path, zipped[:-9], key)
    assert (cut.status_code, cut.json["errors"][0]["where"]) == (422, "body")  # type: ignore[index]
    monkeypatch.setattr(uploads, "LARGEST_UNPACKED", 100)
    bomb = send(site, path, zipped, key)
    assert bomb.status_code == 422
    assert "unpacked" in bomb.json["detail"]  # type: ignore[index]
    monkeypatch.setattr(uploads, "LARGEST", 100)
    assert send(site, path, zipped, key).status_code == 413
    assert site.receiver.rows(StoredPostback) == []
    assert list((site.settings.var / "uploads").glob("*")) == []


def test_a_log_is_larger_than_other_calls(site: Site) -> None:
    """Two megabytes, also where the call is named so that it can be sent again."""
    body = encode(site.signer.skadnetwork(conversion_value=20))
    lines = 2 * 1024 * 1024 // len(body)
    key = site.key("write") | {"Idempotency-Key": "one"}
    first, again = (send(site, "", b"\n".join([body] * lines), key) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json["outcomes"] == {"stored": 1, "duplicate": lines - 1}  # type: ignore[index]
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
