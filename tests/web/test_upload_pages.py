"""A log is dropped, looked into, and imported when somebody says so."""

import base64
import gzip
import io
import json
import re
from contextlib import closing
from pathlib import Path

from werkzeug.test import EnvironBuilder, TestResponse

from skan_receiver.storage import StoredPostback
from skan_receiver.testing import encode
from tests.web.site import Site, token_of


def drop(site: Site, content: bytes, name: str = "yesterday.ndjson") -> TestResponse:
    token = token_of(site.client.get("/upload"))
    data = {"csrf_token": token, "file": (io.BytesIO(content), name)}
    with closing(EnvironBuilder(path="/upload", method="POST", data=data)) as builder:
        environ = builder.get_environ()
        with closing(environ["wsgi.input"]):  # it may be a file, which the client leaves open
            return site.client.open(environ, buffered=True)


def log(site: Site) -> bytes:
    """Two good ones, one of them twice and one with its time, a forged one, a strange one, junk."""
    sign = site.signer
    good, other = (encode(sign.skadnetwork(conversion_value=value)) for value in (20, 63))
    envelope = {
        "received_at": "2026-11-01T12:00:00Z",
        "endpoint": "network",
        "body": base64.b64encode(other).decode(),
    }
    forged = encode({**sign.skadnetwork(), "app-id": 7})
    return b"\n".join((good, json.dumps(envelope).encode(), good, forged, b'{"a": 1}', b"junk"))


def test_nothing_is_stored_until_somebody_says_so(site: Site) -> None:
    """Valid, invalid with reasons, unreadable by line, what is there twice, what values mean."""
    site.sign_in()
    page = drop(site, log(site))
    assert page.status_code == 200
    found = re.sub(r"<[^>]+>", " ", page.text)
    for said in ("First purchase", "Big spender", "Line 5:", "Line 6:", "2 new", "3 new"):
        assert (said in found) == (said != "2 new"), said
    assert site.receiver.rows(StoredPostback) == []

    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    send = {"csrf_token": token_of(page), "token": token[1], "name": "yesterday.ndjson"}
    done = site.client.post("/upload/import", data=send)
    assert done.status_code == 303
    rows = site.receiver.rows(StoredPostback)
    assert len(rows) == 3
    assert {row.received_at.isoformat()[:13] for row in rows} >= {"2026-11-01T12"}
    (entry,) = site.deeds()
    assert (entry.action, entry.subject) == ("postback.import", "yesterday.ndjson")
    assert site.client.post("/upload/import", data=send).status_code == 404
    assert list((site.settings.var / "uploads").glob("*")) == []


def test_what_is_here_already_is_said(site: Site) -> None:
    """Also of a gzipped file."""
    site.sign_in()
    body = site.signer.skadnetwork(conversion_value=20)
    site.receiver.receive(body)
    page = drop(site, gzip.compress(encode(body)), "log.gz")
    assert "here already" in page.text
    assert "would store 0 new postbacks" in page.text


def test_a_form_without_a_file_says_what_is_wanted(site: Site) -> None:
    """At the field."""
    site.sign_in()
    answer = drop(site, b"", "")
    assert answer.status_code == 422
    assert "one postback a line" in answer.text


def test_a_gzip_that_was_cut_short_is_said_at_the_field(site: Site) -> None:
    """It is not half imported, and not kept."""
    site.sign_in()
    answer = drop(site, gzip.compress(log(site))[:-9], "log.gz")
    assert answer.status_code == 422
    assert "log.gz: the file is no whole gzip" in answer.text
    assert list((site.settings.var / "uploads").glob("*")) == []


def test_a_token_is_no_path(site: Site, tmp_path: Path) -> None:
    """Nothing but what was dropped can be imported."""
    site.sign_in()
    (tmp_path / "upload").write_bytes(log(site))
    token = token_of(site.client.get("/upload"))
    for bad in ("..", "../..", "", "x" * 30):
        answer = site.client.post("/upload/import", data={"csrf_token": token, "token": bad})
        assert answer.status_code == 404


def test_a_log_is_larger_than_other_forms(site: Site) -> None:
    """Two megabytes of lines that are all the same; forms without files stay small."""
    site.sign_in()
    body = encode(site.signer.skadnetwork(conversion_value=20))
    lines = 2 * 1024 * 1024 // len(body)
    page = drop(site, b"\n".join([body] * lines))
    assert page.status_code == 200
    assert f"{lines - 1:,}" in page.text
    token = token_of(site.client.get("/schemas"))
    large = {"csrf_token": token, "text": "x" * 2 * 1024 * 1024}
    assert site.client.post("/schemas/42/edit", data=large).status_code == 413
