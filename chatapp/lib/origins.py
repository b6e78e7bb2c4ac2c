"""Whether a request comes from a page of this chat: its origin is compared as RFC 6454 has it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["is_ours"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_OF_PROXIES = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


def is_ours(environ: Mapping[str, Any]) -> bool:
    """Browsers say where a request comes from by Sec-Fetch-Site or Origin; programs say neither.

    Sec-Fetch-Site comes by TLS and from this machine only. Origin has scheme, host and port. Host
    lacks the scheme, which a proxy may have changed, so a port that it does not tell is the default
    one of the Origin's scheme. A proxy may pass on the host and not its port (`$host`): then that
    of X-Forwarded-Port counts, or else any. To a browser all ports of a host are one site anyway,
    which gets the same cookies.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site in ("same-origin", "none")
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return True
    scheme, _, authority = origin.lower().partition("://")
    default = _DEFAULT_PORTS.get(scheme)
    source, target = _split(authority), _split(environ.get("HTTP_HOST", ""))
    if default is None or source is None or target is None or source[0] != target[0]:
        return False
    port = source[1] or default
    if target[1] is not None:
        return port == target[1]
    return port == default or _passes_no_port(environ, port)


def _split(authority: str) -> tuple[str, int | None] | None:
    """Host and port; None if it is nothing of the kind."""
    try:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.netloc != authority or "@" in authority:
        return None
    return host, port


def _passes_no_port(environ: Mapping[str, Any], port: int) -> bool:
    """Whether a proxy is in front that has left out `port`, as far as can be known.

    A page elsewhere cannot have a browser send these headers.
    """
    told: str | None = environ.get("HTTP_X_FORWARDED_PORT")
    if told is not None:
        return told.rpartition(",")[2].strip() == str(port)
    is_behind = environ.get("SERVER_PORT") not in ("80", "443")
    return is_behind or any(name in environ for name in _OF_PROXIES)
