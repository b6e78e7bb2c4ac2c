"""The WSGI environ of a request (PEP 3333)."""

from typing import Final
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from cogen.web.http.request import Request

__all__ = ["base_environ", "header_fields", "request_environ"]

SERVER_SOFTWARE: Final = "cogen/1.0"

# Header names come from strangers: what is remembered of them is bounded, in number and length.
_KEYS_KEPT: Final = 1000
_KEY_BYTES: Final = 64
_keys: dict[bytes, str] = {}


def base_environ(scheme: str, multithread: bool, multiprocess: bool) -> WSGIEnvironment:
    """What is the same for all requests of a listening socket, and a place for all the rest.

    Its copies have room for the headers of most requests without growing.
    """
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "",
        "SERVER_PORT": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": SERVER_SOFTWARE,
        "REMOTE_ADDR": "",
        "REMOTE_PORT": "",
        "REQUEST_URI": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.input": None,
        "cogen.call": None,
        "cogen.core": None,
        "cogen.early_hints": None,
        "cogen.group": None,
        "cogen.input": None,
        "cogen.server_group": None,
        "cogen.stopping": None,
        "cogen.wait": None,
        "cogen.wsgi": None,
        "cogen.yield": None,
    }


def request_environ(
    base: WSGIEnvironment, request: Request, fields: dict[str, str]
) -> WSGIEnvironment:
    """`base` with the request line and the `fields` of its headers."""
    environ = base.copy()
    if request.method != b"GET":
        environ["REQUEST_METHOD"] = request.method.decode("ascii")
    if not request.http11:
        environ["SERVER_PROTOCOL"] = "HTTP/1.0"
    target = environ["REQUEST_URI"] = request.target.decode("ascii")
    if request.path is not request.target:
        target = request.path.decode("ascii")
    path, _, query = target.partition("?")
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if "%" in path else path
    environ["QUERY_STRING"] = query
    environ.update(fields)
    return environ


def header_fields(request: Request) -> dict[str, str]:
    """The environ entries of the request's headers.

    Header lines of one name are joined by commas (RFC 9110 section 5.3), Cookie by semicolons.
    A name with an underscore is left out: it could pass for another one.
    """
    fields: dict[str, str] = {}
    for name, value in request.headers:
        key = _keys.get(name) or _key(name)
        if not key:
            continue
        if key in fields:
            separator = "; " if key == "HTTP_COOKIE" else ","
            fields[key] = f"{fields[key]}{separator}{value.decode('latin-1')}"
        else:
            fields[key] = value.decode("latin-1")
    if request.host is not None:
        fields["HTTP_HOST"] = request.host.decode("ascii")
    # The server takes the coding off: the body ends where wsgi.input does.
    fields.pop("HTTP_TRANSFER_ENCODING", None)
    return fields


def _key(name: bytes) -> str:
    """The environ key of a header, empty if it has none."""
    if b"_" in name:
        return ""
    key = name.decode("ascii").upper().replace("-", "_")
    if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        key = "HTTP_" + key
    if len(_keys) < _KEYS_KEPT and len(name) <= _KEY_BYTES:
        _keys[name] = key
    return key
