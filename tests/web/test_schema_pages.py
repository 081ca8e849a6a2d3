"""Schemas in the browser, without JavaScript."""

import html
import re

import pytest
from werkzeug.test import TestResponse

from skan_receiver.conversion.rewrite import content
from skan_receiver.storage.schemas import Version, history
from tests.web.site import Site, token_of

APP = 525463029
EDIT = f"/schemas/{APP}/edit"


def versions(site: Site) -> list[Version]:
    with site.store.read() as connection:
        return history(connection, APP)


def text_of(page: TestResponse) -> str:
    """What is in the editor, as a browser would send it back."""
    found = re.search(r'<textarea name="text"[^>]*>(.*?)</textarea>', page.text, re.DOTALL)
    assert found
    return (
        found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'")
        .replace("&#34;", '"').replace("&amp;", "&")
    )  # fmt: skip


def post(site: Site, path: str, **fields: object) -> TestResponse:
    token = token_of(site.client.get(EDIT))
    return site.client.post(path, data={"csrf_token": token, "base": 1, **fields})


def test_what_every_value_means_is_on_one_page(site: Site) -> None:
    """64 fine values and three coarse ones by window, and how it came to be."""
    site.sign_in()
    assert "Apple&#39;s example app" in site.client.get("/schemas").text
    page = site.client.get(f"/schemas/{APP}").text
    assert page.count('<li class="value ') == 64
    assert "Big spender" in page
    assert "Still paying" in page
    assert "in force" in page


def test_from_the_text_to_a_new_version(site: Site) -> None:
    """Edit, see what changes in words, publish; who did it is in the audit log."""
    site.sign_in()
    text = text_of(site.client.get(EDIT)).replace("Opened", "Launched")
    text = text.replace("less_than: 50", "less_than: 40").replace("at_least: 50", "at_least: 40")
    review = post(site, EDIT, text=text, do="review")
    assert review.status_code == 200
    assert "<del>" in review.text
    assert "40.00" in review.text

    done = post(site, f"/schemas/{APP}/publish", text=text, note="cheaper", rollout="2d")
    assert done.status_code == 303
    newest = versions(site)[-1]
    assert (newest.number, newest.author, newest.note, newest.rollout_hours) == (
        *(2, "admin", "cheaper", 48),
    )
    (entry,) = site.deeds()
    assert (entry.actor, entry.action, entry.subject) == ("user admin", "schema.publish", str(APP))
    assert "rolling out" in site.client.get(f"/schemas/{APP}").text
    assert "cheaper" in site.client.get(f"/schemas/{APP}?from=1&to=2").text


def test_a_mistake_is_said_with_its_line_and_nothing_is_published(site: Site) -> None:
    """The text stays as it was typed."""
    site.sign_in()
    text = text_of(site.client.get(EDIT)).replace("event: tutorial", "event: tutorail")
    for path, do in ((EDIT, "review"), (f"/schemas/{APP}/publish", "")):
        answer = post(site, path, text=text, do=do)
        assert "did you mean `tutorial`" in answer.text
        assert "tutorail" in text_of(answer)
    assert post(site, EDIT, text=text, do="review").status_code == 422
    assert len(versions(site)) == 1


def test_a_date_that_cannot_be_is_said_at_its_field(site: Site) -> None:
    """One that would change what has arrived, and what is no date; nothing is published."""
    site.sign_in()
    text = text_of(site.client.get(EDIT)).replace("exactly: 1", "at_least: 1")
    for fields, said in (
        ({"effective_from": "2020-01-01T00:00"}, "redecode"),
        ({"effective_from": "soon"}, "a time, UTC"),
        ({"rollout": "long"}, "48h, 2d or 2w"),
    ):
        answer = post(site, f"/schemas/{APP}/publish", text=text, **fields)
        assert answer.status_code == 422, fields
        assert said in answer.text
        assert 'role="alert"' in answer.text
    assert len(versions(site)) == 1


def test_two_editors_at_once_lose_nothing(site: Site) -> None:
    """The slower one sees both changes in words and both texts, and goes on from there."""
    site.sign_in()
    text = text_of(site.client.get(EDIT))
    mine, theirs = text.replace("Opened", "Launched"), text.replace("at_least: 50", "at_least: 45")
    theirs = theirs.replace("less_than: 50", "less_than: 45")
    assert post(site, f"/schemas/{APP}/publish", text=theirs).status_code == 303

    late = post(site, f"/schemas/{APP}/publish", text=mine)
    assert late.status_code == 409
    assert "Version 2 was published by admin" in late.text
    assert "Launched" in text_of(late)
    assert "at_least: 45" in late.text
    assert len(versions(site)) == 2

    on_top = post(site, f"/schemas/{APP}/publish", text=mine, base=2)
    assert on_top.status_code == 303
    assert versions(site)[-1].number == 3


def test_a_version_is_rolled_back_to(site: Site) -> None:
    """What it says is published again, under a new number."""
    site.sign_in()
    text = text_of(site.client.get(EDIT)).replace("exactly: 1", "at_least: 1")
    post(site, f"/schemas/{APP}/publish", text=text)
    assert post(site, f"/schemas/{APP}/rollback", number=1).status_code == 303
    first, _, third = versions(site)
    assert (third.number, third.content_hash) == (3, first.content_hash)
    assert post(site, f"/schemas/{APP}/rollback", number=9).status_code == 404


def test_one_value_by_form(site: Site) -> None:
    """The text is written anew, comments and all; what makes no sense is said beside the field."""
    site.sign_in()
    text = text_of(site.client.get(EDIT))
    answer = post(
        site, EDIT, text=text, do="cell", cell_window=0, value=30, label="Invited two",
        event="invite", at_least=2, coarse="medium",
    )  # fmt: skip
    changed = text_of(answer)
    assert "Invited two" in changed
    assert "# what such a user is worth on average" in changed
    assert "invite" in changed

    wrong = post(site, EDIT, text=text, do="cell", value="64")
    assert wrong.status_code == 422
    assert "0 to 63, low, medium or high" in wrong.text


def test_a_window_by_a_model(site: Site) -> None:
    """From what stands in the form; later windows get levels, whatever was chosen."""
    site.sign_in()
    text = text_of(site.client.get(EDIT))
    made = {"do": "model", "model": "revenue", "model_edges": "2, 4.5 9", "model_revenue": "iap"}
    changed = text_of(post(site, EDIT, text=text, **made))
    assert content(changed)["windows"][0]["fine"]["edges"] == [2, 4.5, 9]
    made |= {"model": "funnel", "model_window": "2", "model_events": "tutorial, purchase"}
    changed = text_of(post(site, EDIT, text=changed, **made))
    assert content(changed)["windows"][2]["coarse"]["values"] == ["low", "medium", "high"]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"model": "revenue", "model_edges": "2, x"}, "edges: an amount, as in 4.99"),
        ({"model": "revenue", "model_edges": "4, 2"}, "edges: from the lowest to the highest"),
        ({"model": "engagement", "model_counts": "1.5"}, "counts: whole numbers"),
        ({"model": "funnel", "model_events": "a&b"}, "events: names as in level_up"),
        ({"model": "revenue", "model_revenue": "all"}, "revenue: one of"),
        ({"model": "bits", "model_scale": "coarse"}, "model: one of rules, table"),
        ({"model": "revenue", "model_edges": "1 2 3", "model_window": "1"}, "edges: two at most"),
    ],
)
def test_a_model_that_cannot_be_made_is_told(site: Site, said: dict[str, str], what: str) -> None:
    """Beside the form, which keeps what was typed; the text stays as it was."""
    site.sign_in()
    text = text_of(site.client.get(EDIT))
    answer = post(site, EDIT, text=text, do="model", **said)
    assert answer.status_code == 422
    assert what in answer.text
    assert text_of(answer) == text
    for name, value in said.items():
        assert f'name="{name}"' in answer.text
        assert html.escape(value) in answer.text


def test_what_a_user_would_send(site: Site) -> None:
    """By window, with what it means."""
    site.sign_in()
    text = text_of(site.client.get(EDIT))
    answer = post(site, EDIT, text=text, do="try", user="registration 1\npurchase 20 60\n")
    assert "fine <b>63</b> (Big spender), coarse <b>high</b>" in answer.text
    wrong = post(site, EDIT, text=text, do="try", user="purchase soon")
    assert wrong.status_code == 422
    assert "line 1: an event, hours since the install" in wrong.text


def test_a_mirror_says_that_no_device_changes(site: Site) -> None:
    """Where an MMP's SDK sets the values."""
    site.sign_in()
    text = text_of(site.client.get(EDIT)).replace("encoder: own", "encoder: appsflyer")
    post(site, f"/schemas/{APP}/publish", text=text)
    assert "changes no device" in site.client.get(f"/schemas/{APP}").text


def test_a_first_schema_begins_with_a_model(site: Site) -> None:
    """For an app that has none; another app's text is refused."""
    site.sign_in()
    page = site.client.get("/schemas/new?app_id=42&model=funnel", follow_redirects=True)
    text = text_of(page)
    assert "model: funnel" in text
    wrong = site.client.post(
        f"/schemas/{APP}/edit", data={"csrf_token": token_of(page), "text": text, "do": "review"}
    )
    assert wrong.status_code == 422
    assert "42 is another app" in wrong.text
    done = site.client.post(
        "/schemas/42/publish", data={"csrf_token": token_of(page), "text": text, "base": 0}
    )
    assert done.status_code == 303
    assert site.client.get("/schemas/42").status_code == 200


def test_whoever_only_looks_changes_nothing(site: Site) -> None:
    """A viewer sees the schema, no button, and is refused by each door behind one."""
    site.sign_in()
    page = site.client.get(EDIT)
    token, text = token_of(page), text_of(page)
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET role = 'viewer'"))
    page = site.client.get(f"/schemas/{APP}")
    assert page.status_code == 200
    assert "Roll back" not in page.text
    assert site.client.get(EDIT).status_code == 403
    for path in ("edit", "check", "publish", "rollback"):
        answer = site.client.post(
            f"/schemas/{APP}/{path}", data={"csrf_token": token, "text": text, "number": 1}
        )
        assert answer.status_code == 403, path
    assert len(versions(site)) == 1


def test_who_is_limited_to_other_apps_sees_none_of_it(site: Site) -> None:
    """Not that it exists."""
    site.sign_in()
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET apps = '42'"))
    assert f"/schemas/{APP}" not in site.client.get("/schemas").text
    assert site.client.get(f"/schemas/{APP}").status_code == 404
