"""One request to a webhook: bounded in time, without redirects and proxies. Of the answer, the status alone is read."""

import ipaddress
import ssl
from contextlib import closing, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import SHUT_RDWR
from threading import Timer
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from courses.errors import Invalid

SECONDS = 10  # to connect to each address of the host, and without a byte of the answer
MOST_SECONDS = 15  # in all, after it is connected
MAX_WAIT = 3600  # seconds that a receiver may ask us to wait
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # IPv4 addresses within IPv6
# Where AWS, Azure and Alibaba Cloud answer, besides link-local addresses.
OF_CLOUDS = [ipaddress.ip_network(each) for each in ("fd00:ec2::254", "168.63.129.16", "100.100.100.200")]
OK, GONE, BUSY = range(200, 300), 410, (429, 503)


class PostFailed(Exception):
    """Why a request did not succeed, in words without anything of the answer."""

    def __init__(self, message: str, *, is_gone: bool = False, wait: int = 0) -> None:
        super().__init__(message)
        self.is_gone, self.wait = is_gone, wait  # seconds


def check_address(address: str) -> None:
    """Check an address to which events are to be sent. Errors: Invalid."""
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise Invalid(_("%(address)r is no address.") % {"address": address[:80]}) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port:
        raise Invalid(_("Write the whole address: https://host/path."))
    if not address.isascii() or not address.isprintable() or " " in address:
        raise Invalid(_("An address has neither spaces nor characters outside ASCII: write them as %20 and the like."))
    if "@" in parts.netloc or parts.fragment:
        raise Invalid(_("The address may have no user, password or fragment: the signature tells who sends."))
    allowed = settings.NGSHARE_WEBHOOK_HOSTS
    if allowed and parts.hostname not in allowed:
        raise Invalid(_("NGSHARE_WEBHOOK_HOSTS does not allow %(hostname)s.") % {"hostname": parts.hostname})


def post(address: str, body: str, headers: dict[str, str]) -> None:
    """Send it, and return if the answer is a success. Errors: PostFailed."""
    try:
        with translation.override("en"):  # which is what is stored
            check_address(address)  # again: the setting may be a new one
    except Invalid as error:
        raise PostFailed(error.message) from error
    parts = urlsplit(address)
    connection = _connection(parts.scheme, str(parts.hostname), parts.port)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    cut_off = Timer(MOST_SECONDS, _cut_off, [connection])
    cut_off.daemon = True
    try:
        with closing(connection):
            connection.connect()
            _check_peer(connection.sock.getpeername()[0])
            cut_off.start()
            connection.request("POST", target, body.encode(), {**headers, "User-Agent": "ngshare"})
            response = connection.getresponse()  # the status and headers, of which there are 64 kB at most
    except (OSError, HTTPException, UnicodeError) as error:  # the last for a host that cannot be a name
        raise PostFailed(_words(error)) from error
    finally:
        cut_off.cancel()
    _check_status(response)


def _check_status(response: HTTPResponse) -> None:
    status = response.status
    if status in OK:
        return
    wait = response.getheader("Retry-After", "") if status in BUSY else ""
    seconds = min(int(wait), MAX_WAIT) if wait.isdecimal() and len(wait) < 10 else 0
    redirect = ", and redirects are not followed" if 300 <= status < 400 else ""
    raise PostFailed(f"It answered {status}{redirect}.", is_gone=status == GONE, wait=seconds)


def _connection(scheme: str, host: str, port: int | None) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(host, port, timeout=SECONDS, context=_tls())
    return HTTPConnection(host, port, timeout=SECONDS)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _check_peer(peer: str) -> None:
    """Refuse the addresses at which clouds keep credentials. It is the peer that counts, whatever its name was."""
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        in_nat64 = ipaddress.IPv4Address(address.packed[-4:]) if address in NAT64 else None
        address = address.ipv4_mapped or address.sixtofour or in_nat64 or address
    if (
        any(address in network for network in OF_CLOUDS)
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
    ):
        raise PostFailed(f"{address} is an address to which nothing is sent.")


def _cut_off(connection: HTTPConnection) -> None:
    """End a request that drips along. What waits for the answer then gets an error."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(SHUT_RDWR)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"It did not answer within {SECONDS} seconds."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not valid: {error.verify_message}."
    return f"It cannot be reached: {type(error).__name__}."
