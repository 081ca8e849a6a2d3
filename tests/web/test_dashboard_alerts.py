"""What is not well is said on the first page."""

from datetime import UTC, datetime

from skan_receiver.storage import Alert
from skan_receiver.storage.columns import table
from tests.web.site import Site


def test_an_open_alert_is_on_the_dashboard(site: Site) -> None:
    """Until it is resolved; not for whoever sees some apps alone."""
    site.sign_in()
    site.receiver.receive(site.signer.skadnetwork(conversion_value=20))
    now = datetime.now(UTC)
    row = {
        "rule": "delivery_failing",
        "subject": "mmp",
        "severity": "critical",
        "message": "mmp has failed for 2 hours",
        "since": now,
        "seen_at": now,
    }
    site.store.write(lambda c: c.execute(table(Alert).insert(), row))
    assert "mmp has failed for 2 hours" in site.client.get("/").text
    site.store.write(lambda c: c.exec_driver_sql("UPDATE account SET role='viewer', apps='42'"))
    assert "mmp has failed" not in site.client.get("/").text
