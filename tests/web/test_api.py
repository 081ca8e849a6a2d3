"""What programs are told."""

from base64 import b64decode
from typing import Any

import pytest

from skan_receiver.reports import REPORTS
from skan_receiver.testing import encode
from tests.web.site import Site

PROBLEM = "application/problem+json"


def get(site: Site, path: str, **query: Any) -> Any:
    answer = site.browser().get(f"/api/v1{path}", query_string=query, headers=site.key("read"))
    assert answer.content_type == ("application/json" if answer.status_code == 200 else PROBLEM)
    return answer.json


def verify(site: Site, body: bytes) -> Any:
    answer = site.browser().post("/api/v1/verify", data=body, headers=site.key("read"))
    assert answer.status_code == 200
    return answer.json


def test_a_postback_is_found_by_its_id(either_site: Site) -> None:
    """As a partner's engineer asks: here is an id, did you get it?"""
    body = either_site.signer.skadnetwork("4.0", conversion_value=20)
    either_site.receiver.receive(body)
    either_site.receiver.receive(either_site.signer.skadnetwork())
    (found,) = get(either_site, "/postbacks", id=body["transaction-id"].upper())["postbacks"]
    assert (found["verdict"], found["counted"]) == ("valid", True)
    assert found["signed"]["postback_id"] == body["transaction-id"]
    assert found["unsigned"]["fine_value"] == 20
    assert "evidence" not in found


def test_pages_follow_each_other(either_site: Site) -> None:
    """Each postback once, the newest first."""
    site = either_site
    for _ in range(5):
        site.receiver.receive(site.signer.skadnetwork())
        site.receiver.later(seconds=1)
    pages = site.walk("postbacks", site.key("read"), limit=2)
    seen = [postback["id"] for page in pages for postback in page["postbacks"]]
    assert seen == [5, 4, 3, 2, 1]


def test_a_story_has_all_the_evidence(site: Site) -> None:
    """With the bytes, the signed text and the key anybody can verify it again."""
    body = site.signer.skadnetwork("4.0", conversion_value=20)
    site.receiver.receive(body, body, {**body, "conversion-value": 21})
    story = get(site, "/postbacks/1")
    assert b64decode(story["evidence"]["body"]) == encode(body)
    assert b64decode(story["evidence"]["signed_message"]).decode().split("\u2063")[0] == "4.0"
    assert story["evidence"]["key_id"] == "test/P-256"
    kinds = [(arrival["kind"], arrival["unsigned"]["fine_value"]) for arrival in story["arrivals"]]
    assert kinds == [("standing", 20), ("duplicate", 20), ("conflict", 21)]
    (reading,) = story["meanings"]
    assert (reading["version"], reading["weight"], reading["value"]) == (1, 1.0, 20)


def test_verify_says_what_a_body_is_and_stores_nothing(site: Site) -> None:
    """A log can be checked without changing any number."""
    body = site.signer.skadnetwork("4.0", conversion_value=63)
    good = verify(site, encode(body))
    bad = verify(site, encode({**body, "app-id": 7}))
    ugly = verify(site, b"not json")
    assert [one["verdict"] for one in (good, bad, ugly)] == ["valid", "invalid", "malformed"]
    assert good["signed"]["postback_id"] == body["transaction-id"]
    assert b64decode(good["signed_message"]).startswith(b"4.0\xe2\x81\xa3")
    assert bad["reason"] == "signature does not match"
    assert get(site, "/postbacks")["postbacks"] == []


def test_verify_takes_no_more_than_apple_would_send(site: Site) -> None:
    """The limit is that of the endpoints."""
    answer = site.browser().post(
        "/api/v1/verify", data=b" " * 16_385, headers=site.key("read"), content_type="text/plain"
    )
    assert (answer.status_code, answer.content_type) == (413, PROBLEM)


def test_a_report_is_the_table_that_the_command_prints(either_site: Site) -> None:
    """Columns are named, so that rows need no order."""
    site = either_site
    site.receiver.receive(site.signer.skadnetwork("4.0", conversion_value=20))
    site.receiver.settle()
    report = get(site, "/reports/volumes", by=["day", "verdict"])
    day = site.receiver.now.date().isoformat()
    assert report["columns"] == ["day", "verdict", "postbacks", "counted", "installs"]
    assert report["rows"] == [
        {"day": day, "verdict": "valid", "postbacks": 1, "counted": 1, "installs": 1}
    ]
    assert {one["name"] for one in get(site, "/reports")["reports"]} == set(REPORTS)


@pytest.mark.parametrize(
    ("path", "query", "status", "names"),
    [
        ("/postbacks", {"window": 3}, 422, "window"),
        ("/postbacks", {"aap_id": 3}, 422, "aap_id"),
        ("/postbacks", {"cursor": "zzz"}, 422, "cursor"),
        ("/postbacks", {"app_id": 2**63}, 422, "app_id"),
        ("/postbacks", {"ad_network_id": "a\0b"}, 422, "ad_network_id"),
        ("/postbacks", {"since": "0001-01-01T00:00+14:00"}, 422, "since"),
        ("/postbacks", {"limit": 501}, 422, "limit"),
        ("/postbacks/7", {}, 404, "7"),
        (f"/postbacks/{2**63}", {}, 422, "id"),
        ("/reports/nothing", {}, 404, "volumes, values"),
        ("/reports/values", {"by": "verdict"}, 422, "verdict"),
        ("/reports/values", {"from": "yesterday"}, 422, "yesterday"),
        ("/nowhere", {}, 404, "not found"),
    ],
)
def test_a_problem_names_what_is_wrong(
    site: Site, path: str, query: dict[str, Any], status: int, names: str
) -> None:
    """In one form, whatever it is (RFC 9457)."""
    problem = get(site, path, **query)
    assert problem["status"] == status
    assert names in problem["detail"]


def test_a_wrong_method_is_a_problem_too(site: Site) -> None:
    """With the methods there are."""
    answer = site.browser().delete("/api/v1/postbacks", headers=site.key("read"))
    assert (answer.status_code, answer.content_type) == (405, PROBLEM)
    assert "GET" in answer.headers["Allow"]
