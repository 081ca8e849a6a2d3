"""What people see after signing in."""

import io
import json
import re
import zipfile
from base64 import b64decode
from datetime import timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from skan_receiver import web
from skan_receiver.storage import Attempt, Delivery
from skan_receiver.storage.columns import table
from skan_receiver.web.pages import EXAMPLE
from tests.delivery.owing import Books, relay
from tests.web.site import Site

VENDOR = Path(web.__file__).parent / "static" / "vendor"


@pytest.fixture
def looking(site: Site) -> Site:
    """Somebody is signed in."""
    site.sign_in()
    return site


def words(site: Site, path: str, status: int = 200) -> str:
    """What a page says, without its marks."""
    answer = site.client.get(path)
    assert answer.status_code == status
    body = re.sub(r"<(script|title).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_before_anything_came_the_page_says_what_to_do(looking: Site) -> None:
    """Never an empty chart: the URLs to register, and a postback to try."""
    page = looking.client.get("/").text
    assert "http://localhost/receive" in page
    assert "NSAdvertisingAttributionReportEndpoint" in page
    assert "AttributionCopyEndpoint" in page
    assert "vega" not in page


def test_the_postback_to_try_is_a_genuine_one(looking: Site) -> None:
    """Sent as the page says, it is valid, and the page turns into a dashboard."""
    assert looking.browser().post("/receive", data=EXAMPLE).status_code == 200
    looking.receiver.settle()
    assert "6aafb7a5-0170" in words(looking, "/")
    story = words(looking, "/postbacks/1")
    assert "The signature is good, and made by a production key." in story
    assert "Reports count it." in story


def test_the_dashboard_counts_by_verdict(looking: Site) -> None:
    """The table says what the chart draws."""
    sign = looking.signer
    looking.receiver.receive(sign.skadnetwork(), sign.skadnetwork())
    looking.receiver.receive({**sign.skadnetwork(), "app-id": 7})
    looking.receiver.settle()
    page = looking.client.get("/")
    chart = json.loads(re.search(r'data-chart="chart">(.*?)</script>', page.text)[1])  # type: ignore[index]
    drawn = {value["verdict"]: value["n"] for value in chart["data"]["values"]}
    assert drawn == {"valid": 2, "invalid": 1}
    day = looking.receiver.now.date().isoformat()
    assert f"{day} 2 1" in words(looking, "/")


@pytest.mark.parametrize("span", ["day", "week", "month", "year", "", "century"])
def test_the_dashboard_has_a_bar_for_every_hour_or_day(looking: Site, span: str) -> None:
    """Also where nothing came: a gap is news."""
    looking.receiver.receive(looking.signer.skadnetwork())
    looking.receiver.settle()
    page = looking.client.get(f"/?span={span}").text
    chart = json.loads(re.search(r'data-chart="chart">(.*?)</script>', page)[1])  # type: ignore[index]
    bars = {"day": 24, "week": 7, "year": 365}.get(span, 30)
    assert len(chart["encoding"]["x"]["scale"]["domain"]) == bars


def test_a_postback_is_found_by_its_id_in_either_case(looking: Site) -> None:
    """Pasted as the partner wrote it, with spaces around."""
    body = looking.signer.skadnetwork()
    looking.receiver.receive(body)
    looking.receiver.receive(looking.signer.skadnetwork())
    page = looking.client.get(
        "/postbacks", query_string={"id": f" {body['transaction-id'].upper()} "}
    )
    assert re.findall(r'href="/postbacks/(\d+)"', page.text) == ["1"]


def test_what_makes_no_sense_in_a_search_is_said_beside_its_field(looking: Site) -> None:
    """And not dropped, which would show everything as if it had been found."""
    looking.receiver.receive(looking.signer.skadnetwork())
    for query, said in [
        ("app_id=five", "a number"),
        ("window=7", "one of: 0, 1, 2"),
        ("verdict=good", "one of: valid"),
        ("ad_network_id=%00", "a text"),
        (f"app_id={2**63}", "a number"),
    ]:
        page = words(looking, f"/postbacks?{query}", 422)
        assert said in page
        assert "example123" not in page


def test_older_postbacks_are_a_page_away(looking: Site) -> None:
    """Fifty a page, with the search kept."""
    for _ in range(51):
        looking.receiver.receive(looking.signer.skadnetwork())
    page = looking.client.get("/postbacks?verdict=valid").text
    more = re.search(r'href="([^"]+)" rel="next"', page)
    assert more
    assert "verdict=valid" in more[1]
    older = looking.client.get(unescape(more[1])).text
    assert re.findall(r'href="/postbacks/(\d+)"', older) == ["1"]
    assert looking.client.get("/postbacks?cursor=broken").status_code == 200


def test_a_story_tells_signed_from_unsigned(looking: Site) -> None:
    """With the invisible separators of the signed text made visible."""
    body = looking.signer.skadnetwork("4.0", conversion_value=20, country_code="DE")
    looking.receiver.receive(body)
    page = looking.client.get("/postbacks/1").text
    signed, unsigned = page.split("signed by nobody", 1)
    assert body["source-identifier"] in signed
    assert "DE" in unsigned
    assert page.count("U+2063</mark>") == 8
    assert "\u2063" not in page


def test_a_story_says_what_the_value_means(looking: Site) -> None:
    """By the app's schema; without one it says where to put one."""
    looking.receiver.receive(looking.signer.skadnetwork(conversion_value=20))
    looking.receiver.receive(looking.signer.skadnetwork(app_id=7, conversion_value=20))
    looking.receiver.receive(looking.signer.skadnetwork())
    assert "purchase once" in words(looking, "/postbacks/1")
    assert "App 7 has no schema" in words(looking, "/postbacks/2")
    assert "It was withheld, or never set" in words(looking, "/postbacks/3")


def test_a_story_tells_why_a_postback_does_not_count(looking: Site) -> None:
    """A forgery, and a collision, which names the other one."""
    first = looking.signer.skadnetwork("3.0")
    looking.receiver.receive(first)
    looking.receiver.receive(
        looking.signer.skadnetwork("2.2", transaction_id=first["transaction-id"])
    )
    looking.receiver.receive({**looking.signer.skadnetwork(), "app-id": 7})
    assert "it shares its id with another postback" in words(looking, "/postbacks/2")
    assert "Others with this id" in words(looking, "/postbacks/1")
    forged = words(looking, "/postbacks/3")
    assert "Reason: signature does not match" in forged
    assert "What the signature would cover" in forged


def test_a_story_shows_what_an_adattributionkit_postback_signed(looking: Site) -> None:
    """Header and payload, readable."""
    looking.receiver.receive(looking.signer.adattributionkit())
    page = words(looking, "/postbacks/1")
    assert "ES256" in page
    assert "advertised-item-identifier" in page


def test_a_story_tells_of_deliveries_and_their_answers(looking: Site) -> None:
    """Each try with what was answered."""
    site = looking
    site.receiver.receive(site.signer.skadnetwork())
    with site.store.read() as connection:
        identity = connection.exec_driver_sql("SELECT identity FROM postback").scalar_one()
    now = site.receiver.now
    owed = {"identity": identity, "stored_id": 1, "destination": "archive", "state": "owed"}
    times = {"next_at": now + timedelta(minutes=2), "created_at": now}
    tried = {"delivery_id": 1, "at": now, "status": 503, "duration_ms": 12, "url": "http://sink"}
    said = {"error": "", "answer": "<b>busy</b>"}
    site.store.write(lambda c: c.execute(table(Delivery).insert(), owed | times | {"attempts": 1}))
    site.store.write(lambda c: c.execute(table(Attempt).insert(), tried | said))
    page = words(site, "/postbacks/1")
    assert "archive waiting" in page
    assert "503 12 ms &lt;b&gt;busy&lt;/b&gt;" in page


def test_what_a_stranger_wrote_is_text(looking: Site) -> None:
    """An ad network's id is signed by whoever sent it; it is no markup of ours."""
    hostile = "<img src=x onerror=alert(1)>"
    body = {**looking.signer.skadnetwork(), "ad-network-id": hostile}
    looking.receiver.receive(body, endpoint=f"forwarded:{hostile}")
    looking.receiver.settle()
    for path in ("/", "/postbacks", "/postbacks/1", f"/postbacks?ad_network_id={hostile}"):
        page = looking.client.get(path).text
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


HOSTILE = "a\u202eb\u2066c\x1b[2Jd\x9be\u200bf\ufeffg\u3164h\u2028i"
ESCAPED = r"a\u202eb\u2066c\x1b[2Jd\x9be\u200bf\ufeffg\u3164h\u2028i"


def test_what_a_stranger_wrote_turns_nothing_round(looking: Site) -> None:
    """Marks of direction reorder the text around them; on no page are there any."""
    body = looking.signer.skadnetwork(transaction_id=HOSTILE, ad_network_id=HOSTILE)
    looking.receiver.receive(body, {**body, "app-id": 7}, endpoint=f"forwarded:{HOSTILE}")
    for path in ("/", "/postbacks", "/postbacks/1", "/postbacks/2"):
        page = looking.client.get(path).text
        assert ESCAPED in page
        assert {char for char in page if not char.isprintable()} == {"\n"}
        assert "\u3164" not in page
    story = looking.client.get("/postbacks/1").text
    assert f"<title>Postback {ESCAPED} " in story
    assert f'<h1><span class="id">{ESCAPED}</span></h1>' in story


def test_a_hostile_id_can_be_searched_for(looking: Site) -> None:
    """The form keeps what was typed, so that searching again finds it again."""
    looking.receiver.receive(looking.signer.skadnetwork(ad_network_id=HOSTILE))
    page = looking.client.get("/postbacks", query_string={"ad_network_id": HOSTILE}).text
    assert f'name="ad_network_id" value="{HOSTILE}"' in page
    assert re.findall(r'href="/postbacks/(\d+)"', page) == ["1"]


@pytest.mark.parametrize("blank", [" ", " " * 20])
def test_a_postback_whose_id_is_blank_can_be_seen(looking: Site, blank: str) -> None:
    """By the number of its row: a link without a text cannot be clicked."""
    looking.receiver.receive(looking.signer.skadnetwork(transaction_id=blank))
    for path in ("/", "/postbacks"):
        assert '<a href="/postbacks/1"><span class="id">#1</span></a>' in (
            looking.client.get(path).text
        )
    assert "<title>Postback #1 " in looking.client.get("/postbacks/1").text


def test_a_postback_that_is_not_there_is_a_page_that_says_so(looking: Site) -> None:
    """However large its number."""
    assert "There is no postback 7." in words(looking, "/postbacks/7", 404)
    assert "There is no postback" in words(looking, f"/postbacks/{10**30}", 404)


def test_a_sandbox_is_no_secret(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever looks at numbers that tests are part of is told so on every page."""
    site = Site(sqlite_url, tmp_path, sandbox=True)
    site.sign_in()
    for path in ("/", "/postbacks"):
        assert "Sandbox: development postbacks count" in words(site, path)
    site.close()


def test_vendored_files_are_what_the_manifest_says() -> None:
    """Every file is listed, unchanged since it was fetched, and has its licence beside it."""
    manifest = json.loads((VENDOR / "vendor.json").read_text())
    for entry in manifest:
        assert sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert (VENDOR / entry["licence_file"]).read_text()
        assert entry["version"] in entry["file"]
    listed = {entry[name] for entry in manifest for name in ("file", "licence_file")}
    assert {path.name for path in VENDOR.iterdir()} == listed | {"vendor.json"}


def test_a_pasted_postback_is_found(site: Site) -> None:
    """Whole, as a JWS alone, or cut short by a chat; what has no id says so."""
    site.sign_in()
    skan, aak = site.signer.skadnetwork(conversion_value=20), site.signer.adattributionkit()
    site.receiver.receive(skan, aak)
    cut = json.dumps(skan)[:-20]
    for pasted in (json.dumps(skan), aak["jws-string"], cut):
        page = site.client.get("/postbacks", query_string={"id": pasted})
        assert page.text.count('<td class="nowrap"><a href="/postbacks/') == 1, pasted
    answer = site.client.get("/postbacks", query_string={"id": '{"a": 1}'})
    assert answer.status_code == 422
    assert "no id is in this text" in answer.text


def test_postbacks_are_found_by_what_they_carry(site: Site) -> None:
    """Value, source identifier and time."""
    site.sign_in()
    site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
    site.receiver.receive(site.signer.skadnetwork(conversion_value=21))
    for query, n in (
        ({"fine_value": "20"}, 1),
        ({"fine_value": "20", "since": "2020-01-01T00:00"}, 1),
        ({"until": "2020-01-01T00:00"}, 0),
        ({"source_identifier": "9999"}, 0),
    ):
        page = site.client.get("/postbacks", query_string=query)
        assert page.status_code == 200
        assert page.text.count('<td class="nowrap"><a href="/postbacks/') == n, query
    assert site.client.get("/postbacks?since=soon").status_code == 422


def test_who_sees_one_app_sees_no_other(site: Site) -> None:
    """Not in lists, nor by number, nor in reports; a report that cannot tell apart is refused."""
    site.sign_in()
    site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
    site.receiver.settle()
    volumes = "/reports/volumes?by=app_id"
    assert "525463029" in site.client.get(volumes).text
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET apps = '42'"))
    assert "525463029" not in site.client.get(volumes).text
    assert site.client.get(f"{volumes}&app_id=525463029").status_code == 403
    assert site.client.get("/reports/deliveries").status_code == 403
    assert '<a href="/postbacks/1' not in site.client.get("/postbacks").text
    assert site.client.get("/postbacks/1").status_code == 404
    assert site.client.get("/events").status_code == 403
    assert site.client.get("/").status_code == 200


def test_the_dashboard_tells_values_and_how_often_none_came(site: Site) -> None:
    """As a grid of 64, with the null rate beside it; both as tables too."""
    site.sign_in()
    for value in (20, 20, 63, None):
        body = site.signer.skadnetwork()
        body = site.signer.skadnetwork(conversion_value=value) if value is not None else body
        site.receiver.receive(body)
    site.receiver.settle()
    page = site.client.get("/").text
    found = re.search(r'data-chart="values">(.*?)</script>', page, re.DOTALL)
    assert found
    cells = json.loads(found[1])["data"]["values"]
    assert len(cells) == 64
    assert cells[20]["n"] == 2
    assert "Without a value" in page
    assert "Give every app a schema" not in page
    assert "Register your apps" in page


def test_before_anything_came_it_says_when_it_can(site: Site) -> None:
    """By the day of the release; what is no day is said at its field."""
    site.sign_in()
    page = site.client.get("/?released=2026-10-14").text
    assert "App released 14 Oct, first copies expected from 16 Oct" in page
    assert "TestFlight sends none" in page
    assert "a day, as in 2026-10-14" in site.client.get("/?released=soon").text


def test_what_waits_to_be_delivered_says_since_when(either_site: Site) -> None:
    """By destination: how many, and the oldest of them."""
    either_site.sign_in()
    Books(either_site.store).owe([relay("https://a.example/", "partner")], 3)
    page = re.sub(r"\s+", " ", either_site.client.get("/").text)
    (row,) = re.findall(r'destinations/partner">.*?</tr>', page)
    assert "under way" in row
    assert re.search(r'<td class="n">3<br><small>since <time datetime="20', row)


def test_an_id_that_is_not_there_says_what_is(site: Site) -> None:
    """Since when postbacks are kept, when the latest came, and how long Apple takes."""
    site.sign_in()
    site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
    page = site.client.get("/postbacks?id=00000000-0000-0000-0000-000000000000").text
    assert "No endpoint of ours has received this id, of those that are kept since" in page
    assert "the latest postback came" in page


def test_a_postback_is_taken_away_with_what_verifies_it(site: Site) -> None:
    """The body byte for byte; OpenSSL's own check of the signature needs no other file of ours."""
    site.sign_in()
    body = site.signer.skadnetwork(conversion_value=20)
    site.receiver.receive(body)
    for client, path, headers in (
        (site.client, "/postbacks/1/bundle.zip", {}),
        (site.browser(), "/api/v1/postbacks/1/bundle", site.key("read")),
    ):
        answer = client.get(path, headers=headers)
        assert answer.content_type == "application/zip"
        archive = zipfile.ZipFile(io.BytesIO(answer.data))
        held = {name: archive.read(name) for name in archive.namelist()}
        assert json.loads(held["postback.json"]) == body
        assert json.loads(held["story.json"])["verdict"] == "valid"
        spki = site.signer.production_keys()[0]["spki"]
        key = load_der_public_key(b64decode(spki))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(held["signature.bin"], held["signed_message.bin"], ec.ECDSA(SHA256()))
    assert site.client.get("/postbacks/9/bundle.zip").status_code == 404
    page = site.client.get("/postbacks/1").text
    assert "The value was set" in page


def test_revenue_of_a_year_is_a_page_of_its_own(looking: Site) -> None:
    """It says what the first page of a month says; that of a year only leads there."""
    sign = looking.signer
    for value in (20, 40, 63):
        looking.receiver.receive(sign.skadnetwork(conversion_value=value))
    looking.receiver.settle()
    said = re.search(r"Revenue (.*? USD .*?) By day", words(looking, "/"))
    assert said
    assert said[1] in words(looking, "/revenue?span=year")
    assert "USD" not in words(looking, "/?span=year")
    assert 'href="/revenue?span=year"' in looking.client.get("/?span=year").text
    assert "No value that came speaks of revenue" in words(looking, "/revenue?span=day")
