"""Opens sockets: to an address that was checked, or to the operator's proxy."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from skan_receiver.delivery.addresses import Address, addresses, check_as_known, checked
from skan_receiver.delivery.names import Resolver, until
from skan_receiver.delivery.proxies import Proxy, Route
from skan_receiver.delivery.sockets import TimedSocket, connected
from skan_receiver.errors import DeliveryFailed

# From the look-up to the open connection.
CONNECT_SECONDS = 5.0

# Of these, for a look-up that a proxy can do without. Where nothing but a proxy gets out, name
# servers tend not to say so, but to say nothing.
DISPENSABLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Dialer:
    """Opens the socket for a route."""

    resolve: Resolver
    allow_private: bool

    def open(self, route: Route, deadline: float) -> TimedSocket:
        """A socket to the route's first stop; DeliveryFailed where it may not or cannot be.

        A proxy looks names up itself. We do as well, and refuse a name that leads to anything
        forbidden; but one we cannot look up is left to the proxy, since networks whose only way
        out is a proxy have no public DNS. So behind a proxy the last word on where a *name*
        leads is the proxy's: let it refuse internal addresses, as smokescreen does.
        """
        by = min(deadline, time.monotonic() + CONNECT_SECONDS)
        to = route.to
        if route.proxy is None:
            found = checked(to, until(by, self.resolve), allow_private=self.allow_private)
            return _first(found, to.host, to.port, deadline=deadline, by=by)
        look = until(min(by, time.monotonic() + DISPENSABLE_SECONDS), self.resolve)
        check_as_known(to, look, allow_private=self.allow_private)
        return self._to(route.proxy, deadline=deadline, by=by)

    def _to(self, proxy: Proxy, *, deadline: float, by: float) -> TimedSocket:
        try:
            found = addresses(proxy.host, proxy.port, until(by, self.resolve))
            return _first(found, proxy.host, proxy.port, deadline=deadline, by=by)
        except DeliveryFailed as failure:
            raise DeliveryFailed(f"the proxy: {failure}", kind="proxy") from None


def _first(
    found: Iterable[Address], host: str, port: int, *, deadline: float, by: float
) -> TimedSocket:
    """A socket to the first address that takes one."""
    why: object = None
    for address in found:
        try:
            return connected(str(address), port, deadline=deadline, connect_by=by)
        except TimeoutError:
            why = "it took too long"
        except OSError as error:
            why = error.strerror or error
    raise DeliveryFailed(f"cannot connect to {host}:{port}: {why}", kind="connect")
