"""Sends what devices and forwarders send, over HTTP, and tries again as devices do."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

import urllib3

from skan_receiver.simulator.apple import AAK
from skan_receiver.simulator.arrivals import DEVELOPER, FORWARDED, GENUINE, REPEATED
from skan_receiver.simulator.bodies import Arriving
from skan_receiver.simulator.clock import Clock
from skan_receiver.simulator.scenario import Scenario
from skan_receiver.simulator.world import DAY_MS

# Up to nine times, within nine days.
# https://developer.apple.com/documentation/storekit/verifying-an-install-validation-postback
MOST_RETRIES = 9
RETRY_MS = DAY_MS

DEVELOPER_PATHS = {
    False: "/.well-known/skadnetwork/report-attribution/",
    True: "/.well-known/appattribution/report-attribution/",
}

NO_ANSWER = 0


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """Something to send, and how often that was tried."""

    at: int
    turn: int
    arriving: Arriving = field(compare=False)
    tried: int = field(default=0, compare=False)


Running = dict["Future[int]", Due]


class Sender:
    """Sends in the order of the scenario's time, over `connections` at once."""

    def __init__(
        self, url: str, scenario: Scenario, clock: Clock, *, path: str, connections: int = 16
    ) -> None:
        self._url = url.rstrip("/")
        self._network_path = path
        self._forwarders = [scenario.network(c).forwarder for c in scenario.campaigns]
        self._clock = clock
        self._connections = connections
        self._http = urllib3.PoolManager(maxsize=connections, retries=False, timeout=30.0)
        self._turns = count()
        self._again: list[Due] = []
        self.statuses: Counter[int] = Counter()  # 0: no answer
        self.lost = 0  # given up after nine retries

    def send(self, arriving: Iterable[Arriving], progress: Callable[[int], None]) -> None:
        """Send all of it, and again what must be sent again."""
        fresh = (Due(one.at, next(self._turns), one) for one in arriving)
        running: Running = {}
        following = next(fresh, None)
        with ThreadPoolExecutor(self._connections) as pool:
            while following or self._again or running:
                if len(running) >= 2 * self._connections or not (following or self._again):
                    self._collect(running)
                    continue
                if following and not (self._again and self._again[0] < following):
                    due, following = following, next(fresh, None)
                else:
                    due = heappop(self._again)
                self._clock.wait(due.at)
                running[pool.submit(self._post, due.arriving)] = due
                progress(1)

    def _collect(self, running: Running) -> None:
        answered, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in answered:
            due, status = running.pop(future), future.result()
            self.statuses[status] += 1
            if not _again(status, due.arriving):
                continue
            if due.tried == MOST_RETRIES:
                self.lost += 1
                continue
            later = Due(due.at + RETRY_MS, next(self._turns), due.arriving, due.tried + 1)
            heappush(self._again, later)

    def _post(self, arriving: Arriving) -> int:
        url = self._url + self.path(arriving)
        headers = {"Content-Type": "application/json"}
        try:
            answer = self._http.request(
                "POST", url, body=arriving.body, headers=headers, redirect=False
            )
        except urllib3.exceptions.HTTPError:
            return NO_ANSWER
        return answer.status

    def path(self, arriving: Arriving) -> str:
        """Where it goes: the network's registered URL, Apple's paths, or a forwarder's."""
        row = arriving.row
        if row.endpoint == DEVELOPER:
            return DEVELOPER_PATHS[row.layout == AAK]
        if row.endpoint == FORWARDED:
            return f"/receive/{self._forwarders[row.campaign]}"
        return self._network_path


def _again(status: int, arriving: Arriving) -> bool:
    """SKAdNetwork tries again after anything but 200; of the other only 500 is promised."""
    if arriving.row.kind not in (GENUINE, REPEATED):
        return False
    if arriving.row.layout == AAK:
        return status in (500, NO_ANSWER)
    return status != 200
