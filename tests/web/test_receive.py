"""Apple's endpoints and forwarders': where postbacks come in, and what is answered."""

import json
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from structlog.testing import capture_logs

from skan_receiver.storage import Arrival, Quarantined, StoredPostback
from skan_receiver.testing import encode
from tests.web.site import Site

SKAN = "/.well-known/skadnetwork/report-attribution/"
AAK = "/.well-known/appattribution/report-attribution/"
PCM = "/.well-known/private-click-measurement/report-attribution/"


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/receive", "network"),
        (SKAN, "developer"),
        (AAK, "developer"),
        ("/receive/branch", "forwarded:branch"),
        ("/receive/Somebody-New", "forwarded:somebody-new"),
    ],
)
def test_each_path_takes_either_framework_with_and_without_a_slash(
    either_site: Site, path: str, endpoint: str
) -> None:
    """A redirect is not followed by every device, so there is none."""
    site = either_site
    bodies = site.signer.skadnetwork("3.0"), site.signer.adattributionkit()
    for body, address in zip(bodies, (path.rstrip("/"), path.rstrip("/") + "/"), strict=True):
        answer = site.client.post(address, data=encode(body))
        assert (answer.status_code, answer.data) == (200, b"")
    rows = site.receiver.rows(StoredPostback)
    assert {row.endpoint for row in rows} == {endpoint}
    assert [row.body for row in rows] == [encode(body) for body in bodies]


def test_a_network_keeps_the_path_apple_already_knows(sqlite_url: str, tmp_path: Path) -> None:
    """The URL registered with Apple often exists before we do."""
    site = Site(sqlite_url, tmp_path, receive_paths=("/skadnetwork/postback/", "/receive/old"))
    for path in ("/skadnetwork/postback", "/skadnetwork/postback/", "/receive/old"):
        assert site.client.post(path, data=encode(site.signer.skadnetwork())).status_code == 200
    assert {row.endpoint for row in site.receiver.rows(StoredPostback)} == {"network"}
    site.close()


def test_whatever_the_verdict_the_answer_is_the_same(site: Site) -> None:
    """Valid, repeated, forged, unreadable: a forger learns nothing, a device goes on its way."""
    good = site.signer.skadnetwork()
    bodies = [good, good, {**good, "conversion-value": 9}, {**good, "app-id": 1}, {"version": "9"}]
    answers = [site.client.post("/receive", data=encode(body)) for body in bodies]
    assert {(answer.status_code, answer.data) for answer in answers} == {(200, b"")}
    assert [row.verdict for row in site.receiver.rows(StoredPostback)] == ["valid", "invalid"]
    kinds = [row.kind for row in site.receiver.rows(Arrival)]
    assert kinds == ["standing", "duplicate", "conflict", "standing"]
    assert len(site.receiver.rows(Quarantined)) == 1


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png", None])
def test_no_header_is_asked_for(site: Site, content_type: str | None) -> None:
    """What Apple sends as Content-Type is nowhere written."""
    body = encode(site.signer.skadnetwork())
    assert site.client.post("/receive", data=body, content_type=content_type).status_code == 200


@pytest.mark.parametrize("path", ["/receive", SKAN, AAK, PCM, "/receive/adjust"])
def test_a_get_says_that_it_is_ready(site: Site, path: str) -> None:
    """Whoever registers the URL opens it in a browser first."""
    answer = site.client.get(path)
    assert (answer.status_code, answer.text.split(":")[0]) == (200, "ready")
    assert (site.client.head(path).status_code, site.client.head(path).data) == (200, b"")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/receive", "/receive/", SKAN, "/receive/adjust"])
def test_no_other_method_is_known(site: Site, method: str, path: str) -> None:
    """Postbacks are posted."""
    assert site.client.open(path, method=method).status_code == 405


@pytest.mark.parametrize("path", ["//receive", "/receive//", "/Receive", "/.well-known/", "/rec"])
def test_paths_that_are_not_ours_are_not_redirected(site: Site, path: str) -> None:
    """A path that looks like ours is nobody's: a redirect would promise that it is."""
    assert site.client.post(path, data=b"{}").status_code == 404


def test_private_click_measurement_is_accepted_and_dropped(site: Site) -> None:
    """Safari's reports come to the same host; they are nobody's postbacks."""
    report = {"source_engagement_type": "click", "version": 3}
    assert site.client.post(PCM, json=report).status_code == 200
    assert site.client.post(PCM.rstrip("/"), json=report).status_code == 200
    assert site.receiver.rows(Quarantined) == []


def test_what_is_not_json_is_named_in_the_answer(site: Site) -> None:
    """Whoever writes a forwarder reads it; RFC 9457."""
    answer = site.client.post("/receive", data=b'{"app-id": 1, "app-id": 2}')
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "app-id: appears twice",
    }


def test_what_could_not_be_stored_is_asked_for_again(either_site: Site) -> None:
    """500, which a device answers by trying again; then it is stored once."""
    site, body = either_site, encode(either_site.signer.skadnetwork())
    somebody_else = site.store.engine.execution_options(begin="EXCLUSIVE")
    with somebody_else.begin() as connection:
        if not site.store.is_sqlite:
            connection.execute(text("LOCK TABLE seen IN ACCESS EXCLUSIVE MODE"))
        refused = site.client.post("/receive", data=body)
    assert refused.status_code == 500
    assert int(refused.headers["Retry-After"]) > 0
    assert site.client.post("/receive", data=body).status_code == 200
    assert len(site.receiver.rows(StoredPostback)) == 1


def test_a_database_that_makes_no_sense_is_a_500_too(either_site: Site) -> None:
    """Whatever goes wrong, nothing was kept; the log says what it was, without the body."""
    site, body = either_site, either_site.signer.skadnetwork()
    before = REGISTRY.get_sample_value("skan_not_stored_total") or 0
    with site.store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE seen RENAME COLUMN arrivals TO something_else"))
    with capture_logs() as logged:
        answer = site.client.post("/receive", data=encode(body))
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "arrivals" not in answer.text
    assert "arrivals" in logged[-1]["error"]
    assert body["transaction-id"] not in str(logged)
    assert REGISTRY.get_sample_value("skan_not_stored_total") == before + 1


def test_a_forwarded_postback_is_kept_beside_what_the_forwarder_said(either_site: Site) -> None:
    """Apple's members decide; claims and the forwarder's own bytes are evidence."""
    site = either_site
    apple = site.signer.skadnetwork(conversion_value=20)
    sent = {**apple, "conversion-value": "20", "ad-network-campaign-id": "c-77", "ip": "::1"}
    assert site.client.post("/receive/appsflyer", data=encode(sent)).status_code == 200
    (row,), (arrival,) = site.receiver.rows(StoredPostback), site.receiver.rows(Arrival)
    assert (row.verdict, row.fine_value, json.loads(row.body)) == ("valid", 20, apple)
    assert json.loads(arrival.claims) == {"campaign_id": "c-77"}
    kept = json.loads(arrival.body)
    assert kept == {**apple, "conversion-value": "20", "ad-network-campaign-id": "c-77"}


def test_a_postback_may_come_in_the_query_of_a_get(site: Site) -> None:
    """Adjust's networks have no body to send."""
    apple = site.signer.skadnetwork()
    answer = site.client.get("/receive/adjust", query_string={**apple, "tracker": "abc123"})
    assert answer.status_code == 200
    (row,) = site.receiver.rows(StoredPostback)
    assert (row.verdict, row.endpoint) == ("valid", "forwarded:adjust")


def test_a_head_keeps_nothing(site: Site) -> None:
    """Link checkers and previews ask by HEAD."""
    assert site.client.head("/receive/adjust", query_string={"version": "4.0"}).status_code == 200
    assert site.receiver.rows(Quarantined) == []


def test_a_query_without_end_is_refused(site: Site) -> None:
    """An address has 8 KB; thousands of one-letter names still cost time."""
    query = "&".join(f"a{n}=1" for n in range(201))
    answer = site.client.get(f"/receive/adjust?{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "a query has at most 200 parameters",
    }


@pytest.mark.parametrize("query", ["", "?token=s3cret", "?ip=203.0.113.9"])
def test_a_post_of_nothing_is_refused(site: Site, query: str) -> None:
    """Neither a body nor members in the query: what was lost on the way must come again."""
    answer = site.client.post(f"/receive/adjust{query}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert site.receiver.rows(Quarantined) == []


def test_a_post_may_have_its_postback_in_the_query(site: Site) -> None:
    """A template for GET may be sent by POST, with an empty body."""
    apple = site.signer.skadnetwork()
    assert site.client.post("/receive/adjust", query_string=apple).status_code == 200
    assert [row.verdict for row in site.receiver.rows(StoredPostback)] == ["valid"]


@pytest.mark.parametrize("name", ["a" * 41, "a%20b", "-a", "a%0Ab", "%F0%9F%92%A9"])
def test_a_forwarders_name_is_a_word(site: Site, name: str) -> None:
    """It becomes a column and a metric's label."""
    assert site.client.post(f"/receive/{name}", data=b"{}").status_code == 404


def test_tokens_say_who_may_forward(sqlite_url: str, tmp_path: Path) -> None:
    """With a file of tokens a forwarder shows its own, and a name without one stays out."""
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text("appsflyer: s3cret\nbranch:\n")
    site = Site(sqlite_url, tmp_path, forwarder_tokens=tokens)
    body = encode({**site.signer.skadnetwork(), "partner-campaign-id": "c-77"})

    def status(path: str, **headers: str) -> int:
        return site.client.post(path, data=body, headers=headers).status_code

    assert status("/receive/appsflyer") == 403
    assert status("/receive/appsflyer?token=guess") == 403
    assert status("/receive/appsflyer?token=s3cret") == 200
    assert status("/receive/appsflyer", Authorization="Bearer s3cret") == 200
    assert status("/receive/branch") == 200
    assert status("/receive/unity") == 403
    assert status("/receive") == 200
    assert not any("s3cret" in (row.claims or "") for row in site.receiver.rows(Arrival))
    site.close()


def test_arrivals_are_counted_under_names_we_know(site: Site) -> None:
    """Made-up forwarders share one label: a metric must not grow with what strangers write."""

    def count(endpoint: str) -> float:
        labels = {"endpoint": endpoint, "outcome": "stored", "verdict": "valid"}
        return REGISTRY.get_sample_value("skan_arrivals_total", labels) or 0

    endpoints = ("network", "forwarded:unity", "forwarded:other", "forwarded:made-up")
    before = [count(endpoint) for endpoint in endpoints]
    for path in ("/receive", "/receive/unity", "/receive/made-up"):
        site.client.post(path, data=encode(site.signer.skadnetwork()))
    after = [count(endpoint) for endpoint in endpoints]
    assert [n - b for n, b in zip(after, before, strict=True)] == [1, 1, 1, 0]
