"""The API for people, keys, what is ours, schemas; and what it leaves in the audit log."""

from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from skan_receiver.storage import audit
from tests.web.site import SCHEMAS, Site

APP = 525463029
TEXT = (Path(SCHEMAS) / f"{APP}.yaml").read_text()


def call(site: Site, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
    sent = site.key("read", "write", "admin") | headers
    return site.client.open(f"/api/v1{path}", method=method, json=body, headers=sent)


def test_a_user_by_the_api(site: Site) -> None:
    """Added, changed, removed; the last admin stays; what makes no sense is refused in words."""
    admin = {"name": "ana", "role": "admin"}
    made = call(site, "POST", "/users", admin)
    assert made.status_code == 201
    assert "/login/" in made.json["link"]  # type: ignore[index]
    assert call(site, "POST", "/users", admin).status_code == 409
    assert call(site, "PUT", "/users/ana", {"role": "viewer"}).status_code == 409
    assert call(site, "POST", "/users", {"name": "ben", "role": "viewer", "apps": [42]}).json
    limited = call(site, "PUT", "/users/ben", {"role": "admin", "apps": [42]})
    assert limited.status_code == 422
    assert "an admin sees everything" in limited.json["detail"]  # type: ignore[index]
    assert call(site, "DELETE", "/users/ben").status_code == 204
    assert call(site, "DELETE", "/users/ben").status_code == 404
    told = call(site, "GET", "/audit").json
    assert [(one["action"], one["subject"]) for one in told["entries"]] == [  # type: ignore[index]
        ("api remove_user", "ben"),
        ("api add_user", ""),
        ("api add_user", ""),
    ]


def test_who_may_only_read_says_nothing_of_people(site: Site) -> None:
    """Nor does it hear of them."""
    for path in ("/users", "/keys", "/audit"):
        answer = site.client.get(f"/api/v1{path}", headers=site.key("read", "write"))
        assert answer.status_code == 403


def test_what_a_call_changes_is_in_the_log_and_what_it_refuses_is_not(site: Site) -> None:
    """With the key that asked for it."""
    definition = {"name": "copy", "kind": "relay", "url": "https://127.0.0.1/in"}
    refused = call(site, "POST", "/destinations", {"definition": definition})
    assert refused.status_code == 422
    call(site, "PUT", f"/apps/{APP}", {"name": "Ours"})
    with site.store.read() as connection:
        (entry,) = audit.entries(connection)
    assert (entry.action, entry.subject) == ("api put_app", str(APP))
    assert entry.actor.startswith("key ")


def test_a_network_is_named_and_registered(site: Site) -> None:
    """Ids in lower case, names over the list that we ship."""
    call(site, "PUT", "/networks/ABC.skadnetwork", {"name": "Ours"})
    call(site, "PUT", "/networks/ludvb6z3bs.skadnetwork/name", {"name": "MAX"})
    told: Any = call(site, "GET", "/networks").json
    assert told["networks"] == [{"ad_network_id": "abc.skadnetwork", "name": "Ours"}]
    assert told["names"]["ludvb6z3bs.skadnetwork"] == "MAX"
    assert told["names"]["v9wttpbfk9.skadnetwork"] == "Meta"
    assert call(site, "DELETE", "/networks/abc.skadnetwork").status_code == 204


def test_a_schema_is_published_where_nobody_was_quicker(site: Site) -> None:
    """Checked, published, compared, rolled back."""
    newest = call(site, "GET", f"/schemas/{APP}").headers["ETag"]
    text = TEXT.replace("Opened", "Launched").replace("less_than: 50", "less_than: 40")
    text = text.replace("at_least: 50", "at_least: 40")
    made = call(
        site, "POST", f"/schemas/{APP}", {"text": text, "note": "n"}, **{"If-Match": newest}
    )
    assert made.status_code == 201
    late = call(site, "POST", f"/schemas/{APP}", {"text": TEXT}, **{"If-Match": newest})
    assert late.status_code == 409
    assert "version 2 was published meanwhile" in late.json["detail"]  # type: ignore[index]
    changes = call(site, "GET", f"/schemas/{APP}/diff?was=1&now=2").json
    assert {one["what"] for one in changes["changes"]} == {"40", "63"}  # type: ignore[index]
    back = call(site, "POST", f"/schemas/{APP}/rollback", {"number": 1})
    assert back.json["number"] == 3  # type: ignore[index]
    whole = call(site, "GET", f"/schemas/{APP}/versions/3")
    assert whole.json["text"] == TEXT  # type: ignore[index]
    assert whole.headers["ETag"].strip('"') == whole.json["content_hash"]  # type: ignore[index]


def test_a_schema_with_mistakes_is_refused_with_their_lines(site: Site) -> None:
    """And `check` says the same without storing anything."""
    bad = TEXT.replace("event: tutorial", "event: tutorail")
    checked: Any = call(site, "POST", "/schemas/check", {"text": bad}).json
    assert [one["line"] for one in checked["problems"] if not one["warning"]]
    refused = call(site, "POST", f"/schemas/{APP}", {"text": bad})
    assert refused.status_code == 422
    assert "did you mean `tutorial`" in refused.text
    assert call(site, "POST", "/schemas/42", {"text": TEXT}).status_code == 422
