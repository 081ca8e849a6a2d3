"""`/mmp/<provider>/<token>`: what MMPs post is kept, whatever it is, before it is answered."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from skan_receiver.mmp.providers import PROVIDERS
from skan_receiver.reread import reread
from skan_receiver.storage import Quarantined, StoredEvent, StoredPostback, Usage, connections
from skan_receiver.storage.retention import drop_quarantined
from tests.mmp.told import IDFA, adjust, appsflyer, branch
from tests.web.site import Site


def connect(site: Site, provider: str, app_id: int | None = None, name: str = "mmp") -> str:
    """The path that a connection of `provider` is told."""
    token = connections.connect(site.store, name, provider, datetime.now(UTC), app_id=app_id)
    return f"/mmp/{provider}/{token}"


def events(site: Site) -> Sequence[Any]:
    return site.receiver.rows(StoredEvent)


def quarantined(site: Site) -> Sequence[Any]:
    return site.receiver.rows(Quarantined)


JSON = json.dumps(appsflyer())


@pytest.mark.parametrize(
    ("provider", "request_"),
    [
        ("appsflyer", {"method": "POST", "data": JSON, "content_type": "application/json"}),
        ("appsflyer", {"method": "POST", "data": JSON, "content_type": "text/plain"}),
        ("appsflyer", {"method": "POST", "data": JSON}),
        ("adjust", {"method": "GET", "query_string": adjust()}),
        ("adjust", {"method": "POST", "query_string": adjust()}),
        ("adjust", {"method": "POST", "data": adjust()}),
        ("branch", {"method": "POST", "json": branch()}),
    ],
)
def test_each_form_that_mmps_use_is_taken(
    either_site: Site, provider: str, request_: dict[str, Any]
) -> None:
    """JSON whatever it calls itself, a query, a form; with and without a slash."""
    path = connect(either_site, provider)
    for address in (path, f"{path}/"):
        answer = either_site.client.open(address, **request_)
        assert (answer.status_code, answer.data) == (200, b"")
    (row,) = events(either_site)
    assert (row.provider, row.connection) == (provider, "mmp")


def test_a_batch_is_kept_and_one_of_it_that_cannot_be_read_is_quarantined(site: Site) -> None:
    """A renamed field loses no install, nor what came with it."""
    bad = {"event": "install", "when": "2026-03-04"}
    body = "\n".join(map(json.dumps, (appsflyer(), bad, appsflyer(event_name="install"))))
    answer = site.client.post(connect(site, "appsflyer"), data=body)
    assert answer.status_code == 200
    assert [row.kind for row in events(site)] == ["event", "install"]
    (row,) = quarantined(site)
    assert (row.endpoint, row.member) == ("mmp:appsflyer", "event_time")
    assert json.loads(row.body) == bad


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b"\xff\xfe\xff", ""),
        (b"hello", ""),
        (b"", ""),
        (b"", "&".join(f"a{n}=" for n in range(600))),
    ],
)
def test_what_is_no_event_at_all_is_kept_too(site: Site, body: bytes, query: str) -> None:
    """Nobody at the MMP looks at a 4xx."""
    answer = site.client.post(connect(site, "adjust"), data=body, query_string=query)
    assert answer.status_code == 200
    assert len(quarantined(site)) == 1


def test_only_who_has_the_token_gets_in(site: Site) -> None:
    """And only as what it was made for; the body is not looked at before."""
    path = connect(site, "adjust")
    token = path.rsplit("/", 1)[1]
    for wrong in ("/mmp/adjust/nonsense", f"/mmp/appsflyer/{token}"):
        assert site.client.post(wrong, data=adjust()).status_code == 403
        assert site.client.get(wrong).status_code == 403
    assert site.client.post(f"/mmp/nobody/{token}", data=adjust()).status_code == 404
    assert site.client.put(path, data=adjust()).status_code == 405
    assert connections.disconnect(site.store, "mmp")
    assert site.client.post(path, data=adjust()).status_code == 403
    assert not events(site)
    assert not quarantined(site)


def test_whoever_opens_the_address_sees_that_it_is_right(site: Site) -> None:
    """Without parameters nothing is told."""
    path = connect(site, "kochava")
    assert site.client.get(path).text == "ready: what kochava tells of mmp comes here\n"
    assert site.client.head(path, query_string=adjust()).status_code == 200
    assert not events(site)
    assert not quarantined(site)


def test_a_body_that_is_too_large_is_refused_and_one_cut_short_may_come_again(site: Site) -> None:
    """MMPs try again after a 500, and a body that is too large would not shrink."""
    path = connect(site, "appsflyer")
    assert site.client.post(path, data=b"[" + b" " * 1024 * 1024 + b"]").status_code == 413
    answer = site.client.post(path, data=b'{"a"', environ_overrides={"CONTENT_LENGTH": "20"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (500, "30")
    assert not quarantined(site)


def test_what_cannot_be_kept_is_answered_500(site: Site) -> None:
    """Nothing is said to be kept that is not."""
    path = connect(site, "adjust")
    site.store.write(lambda connection: connection.exec_driver_sql("DROP TABLE event"))
    answer = site.client.get(path, query_string=adjust())
    assert (answer.status_code, answer.headers["Retry-After"]) == (500, "30")


def test_nobody_without_a_token_fills_the_quarantine_of_mmps(
    store_url: str, tmp_path: Path
) -> None:
    """Where it is full all the same, nothing is said to be kept that is not."""
    site = Site(store_url, tmp_path, quarantine_rows=1, mmp_quarantine_rows=2)
    path = connect(site, "appsflyer")
    for number in range(3):
        junk = {"version": "4.0", "x": number}
        assert site.client.post("/receive", json=junk).status_code == 200
    renamed = [{"event_name": "install", "renamed_time": f"2026-03-0{day}"} for day in (1, 2, 3)]
    answers = [site.client.post(path, json=[one, appsflyer()]) for one in renamed]
    assert [answer.status_code for answer in answers] == [200, 200, 500]
    assert answers[-1].headers["Retry-After"] == "30"
    assert [row.endpoint for row in quarantined(site)] == ["network", *["mmp:appsflyer"] * 2]
    assert len(events(site)) == 1
    drop_quarantined(site.store, datetime.now(UTC) + timedelta(days=1))
    assert {(row.kind, row.rows) for row in site.receiver.rows(Usage)} == {
        ("quarantine", 0),
        ("quarantine-mmp", 0),
    }
    assert site.client.post(path, json=renamed[2]).status_code == 200
    site.close()


def test_rows_of_apples_postbacks_are_verified_as_any_other(site: Site) -> None:
    """Adjust's {sk_payload}, AppsFlyer's columns with the signature, and without."""
    first, second, third = (site.signer.skadnetwork("4.0") for _ in range(3))
    payload = {"sk_payload": json.dumps(first), "activity_kind": "sk_install"}
    assert site.client.get(connect(site, "adjust"), query_string=payload).status_code == 200
    path = connect(site, "appsflyer", name="af")
    for body in (second, {**third, "attribution-signature": ""}):
        said = {f"skad_{name.replace('-', '_')}": value for name, value in body.items()}
        assert (
            site.client.post(path, json={**said, "event_name": "af_skad_install"}).status_code
            == 200
        )
    rows = site.receiver.rows(StoredPostback)
    assert [(row.endpoint, row.verdict) for row in rows] == [
        ("forwarded:adjust", "valid"),
        ("forwarded:appsflyer", "valid"),
        ("forwarded:appsflyer", "unverifiable"),
    ]
    assert not events(site)
    assert not quarantined(site)


def test_no_identifier_and_no_token_is_in_a_log(site: Site) -> None:
    """Nor in the reason why something could not be read."""
    path = connect(site, "appsflyer")
    with capture_logs() as logs:
        site.client.post(path, json=appsflyer())
        site.client.post(path, json=appsflyer(event_revenue=IDFA))
        site.client.post(path, json=appsflyer(event_time=IDFA))
    said = json.dumps(logs, default=str)
    assert len(quarantined(site)) == 2
    assert IDFA not in said
    assert path.rsplit("/", 1)[1] not in said


def test_events_are_counted_by_who_told_and_what_became_of_them(site: Site) -> None:
    """For Prometheus."""
    path = connect(site, "branch")

    def count(outcome: str) -> float:
        labels = {"provider": "branch", "outcome": outcome}
        return REGISTRY.get_sample_value("skan_events_total", labels) or 0

    before = {outcome: count(outcome) for outcome in ("stored", "duplicate", "quarantined")}
    site.client.post(path, json=[branch(), branch(id="br-2"), branch(), {"id": "br-3"}])
    after = {outcome: count(outcome) - n for outcome, n in before.items()}
    assert after == {"stored": 2, "duplicate": 1, "quarantined": 1}


def test_a_printed_address_works_as_it_is_pasted(site: Site) -> None:
    """For each MMP: with values in place of its macros it tells of an event."""
    for name, provider in PROVIDERS.items():
        path = connect(site, name, name=f"{name}-1")
        token = path.rsplit("/", 1)[1]
        for printed in provider.urls("http://localhost", token):
            assert site.client.get(printed.url.replace("#", "%23")).status_code == 200


def test_the_quarantine_is_read_again_as_its_connection_would(either_site: Site) -> None:
    """After an upgrade that knows the new name: here it is the app that was forgotten."""
    site = either_site
    path = connect(site, "adjust", app_id=1555000111)
    said = {name: value for name, value in adjust().items() if name not in ("app_id", "created_at")}
    said.pop("installed_at")
    assert site.client.get(path, query_string=said).status_code == 200
    (row,) = quarantined(site)
    mended = {**json.loads(row.body), "created_at": "1772618000"}

    def mend(connection: Any) -> None:
        rows = Quarantined.__table__  # type: ignore[attr-defined]
        connection.execute(rows.update().values(body=json.dumps(mended).encode()))

    site.store.write(mend)
    assert reread(site.store, site.settings, site.receiver.keys) == {"stored": 1}
    (event,) = events(site)
    assert (event.app_id, event.connection, event.provider) == (1555000111, "mmp", "adjust")
    assert event.received_at == row.received_at
    assert not quarantined(site)


NASTY = [
    b'{"a\\u0000b":' * 9 + b"1" + b"}" * 9,
    b'{"event_time":"2026-01-01","event_name":"a\\u0000"}',
    b'{"event_time":"2026-01-01","event_name":"\\ud800"}',
    b'{"event_time":"2026-01-01","event_name":"x","\\ud800":1,"b\\u0000":"c\\u0000"}',
    b'{"skad_transaction_id":"x\\u0000","skad_version":"4.0"}',
    b'{"skad_transaction_id":"x","skad_version":"9.9","note":"\\u0000 \\ud800"}',
    b'{"event_time":' + b"9" * 5000 + b"}",
    b"[" * 100_000,
    b'{"event_time":1e999,"event_name":NaN}',
]


@pytest.mark.parametrize("body", NASTY, ids=range(len(NASTY)))
def test_what_no_store_takes_as_text_is_kept_all_the_same(either_site: Site, body: bytes) -> None:
    """One body must not make a batch of others fail, on either store."""
    path = connect(either_site, "appsflyer")
    assert either_site.client.post(path, data=body).status_code == 200
    kept = len(events(either_site)) + len(quarantined(either_site))
    assert kept + len(either_site.receiver.rows(StoredPostback)) == 1
