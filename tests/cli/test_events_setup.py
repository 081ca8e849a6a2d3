"""`skan-receiver events setup` and `events sources`."""

from tests.cli.conftest import Run


def test_the_list_leads_from_the_first_command_to_the_last(run: Run) -> None:
    """Its exit status says whether all is done."""
    listed = run("events", "setup")
    assert listed.status == 1
    assert "to do  1. Somebody tells us of events" in listed.out
    assert "skan-receiver events connect appsflyer" in listed.out
    assert run("events", "connect", "appsflyer").status == 0
    first, *_ = run("events", "setup", "--json").lines
    assert (first["step"], first["is_done"], first["said"]) == (1, True, "appsflyer")


def test_media_sources_are_mapped_and_forgotten(run: Run) -> None:
    """Ids in any case; what is not there is said."""
    assert run("events", "sources", "map", "Facebook Ads", "V9WTTPBFK9.skadnetwork").status == 0
    (row,) = run("events", "sources", "list", "--json").lines
    assert row == {
        "media_source": "Facebook Ads",
        "ad_network_id": "v9wttpbfk9.skadnetwork",
        "said_by": "sources map",
    }
    assert run("events", "sources", "forget", "v9wttpbfk9.skadnetwork").status == 0
    gone = run("events", "sources", "forget", "v9wttpbfk9.skadnetwork")
    assert (gone.status, "has no media source" in gone.err) == (1, True)
    refused = run("events", "sources", "map", "A", "no id")
    assert (refused.status, "is no ad-network id" in refused.err) == (1, True)
