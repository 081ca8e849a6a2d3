"""What destinations share that are about postbacks, one by one."""

from typing import Any

from skan_receiver.delivery.destinations.destination import Destination


class OfPostbacks(Destination):
    """Owed each postback that passes its filters."""

    # Also what does not count: invalid, of apps that are not ours, of development keys.
    uncounted: bool = False
    # Those that won the attribution, or those that did not.
    did_win: bool | None = None

    def wants(self, row: Any) -> bool:
        """Whether a row of `postback`, with `counted`, passes the filters."""
        return (
            (row.counted or (self.uncounted and row.collides_with is None))
            and (not self.apps or row.app_id in self.apps)
            and (not self.ad_networks or row.ad_network_id.lower() in self.ad_networks)
            and (not self.frameworks or row.framework in self.frameworks)
            and (self.did_win is None or row.did_win == self.did_win)
            and (not self.windows or row.window in self.windows)
            and (not self.endpoints or self._from(row.endpoint))
            and self.url_for(row.framework) is not None
        )

    def _from(self, endpoint: str) -> bool:
        return endpoint in self.endpoints or endpoint.partition(":")[0] in self.endpoints
