"""Connects to a server, through the environment's proxy, and asks it again while it answers that it is busy."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import PoolManager, ProxyManager, Retry, make_headers
from urllib3.exceptions import InvalidHeader

from otel_parallelism import clock
from otel_parallelism.errors import UnreadableError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

BUSY: Final = frozenset({429, 503})
TRIES: Final = 5
LONGEST_WAIT_S: Final = 60.0
_FIRST_WAIT_S: Final = 1.0


class BusyRetry(Retry):
    """
    The waits between requests to a server that answers 429 or 503.

    They last as long as ``Retry-After`` says, but no longer than `LONGEST_WAIT_S`. Without it, the first lasts up to a
    second, and each further one about twice as long.
    """

    def get_backoff_time(self) -> float:
        """Return seconds; a random share of up to half is taken off, so that not all clients come back at once."""
        longest = min(self.backoff_max, self.backoff_factor * 2.0 ** max(0, len(self.history) - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret

    def asked_wait(self, response: BaseHTTPResponse) -> float | None:
        """Return the seconds that ``Retry-After`` asks for, as a number or until a date; None if it is not readable."""
        try:
            return self.get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):
            return None

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        """Wait before the next request."""
        asked = None if response is None else self.asked_wait(response)
        clock.sleep_s(min(self.backoff_max, asked or self.get_backoff_time()))


RETRY: Final = BusyRetry(
    total=None,
    connect=0,
    read=0,
    other=0,
    status=TRIES - 1,
    allowed_methods=None,  # whatever the method, the requests only read
    status_forcelist=BUSY,
    backoff_factor=_FIRST_WAIT_S,
    backoff_max=LONGEST_WAIT_S,
    raise_on_status=False,
)


class PatientPool(PoolManager):
    """
    Sends each request as `RETRY` says, also where a library that uses the pool has a policy of its own.

    Attributes:
        busy: What messages say of the last answer, if the server was still busy; else empty.
    """

    busy: str = ""

    def urlopen(self, method: str, url: str, **kw: Any) -> BaseHTTPResponse:  # type: ignore[override]
        """Return the answer to a request: the last one, if the server was busy each time; redirects are answers too."""
        response = super().urlopen(method, url, **{**kw, "redirect": False, "retries": RETRY})
        self.busy = problem_of(response) if response.status in BUSY else ""
        return response


class _PatientProxy(PatientPool, ProxyManager):  # type: ignore[misc]
    pass


def connections(root: str) -> PatientPool:
    """
    Return the connections to the server at *root*, through the proxy that the environment names for it, if any.

    Raises:
        UnreadableError: That proxy has no address of HTTP.
    """
    parts = urlsplit(root)
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.hostname or ""):
        return PatientPool()
    try:
        at = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        headers = make_headers(proxy_basic_auth=unquote(f"{at.username}:{at.password or ''}")) if at.username else None
        return _PatientProxy(at.geturl(), proxy_headers=headers)
    except ValueError:
        name = f"{parts.scheme}_proxy"
        raise UnreadableError(
            root, None, f"{name} has no address of a proxy", "one such as http://proxy:3128"
        ) from None


def problem_of(response: BaseHTTPResponse, told: str = "") -> str:
    """Return what messages say of a *response* that is an error; *told* is the reason in its body."""
    text = f"{response.status} {told or response.reason or ''}".rstrip()
    if response.status not in BUSY:
        return text
    asked = RETRY.asked_wait(response)
    return f"{text} after {TRIES} tries" + (f"; the server asks for a wait of {asked:,.0f} s" if asked else "")
