"""The server's options: one table for the ini, the command line and the docs."""

import dataclasses
from typing import Any

from cogen.core.schedulers import PROACTORS

__all__ = ["OptionError", "Options", "parse_options"]


class OptionError(ValueError):
    """An option is unknown or has a bad value; the message names it."""


def _option(default: Any, doc: str, **limits: Any) -> Any:
    return dataclasses.field(default=default, metadata={"doc": doc, **limits})


@dataclasses.dataclass(frozen=True)
class Options:
    """Every option of the server with its default. Times are seconds, sizes are bytes."""

    host: str = _option("127.0.0.1", "Address to listen on; `::` is every IPv6 and IPv4 address.")
    port: int = _option(8080, "Port to listen on; 0 takes a free one.", least=0, most=65535)
    unix_socket: str = _option("", "Path of a Unix socket to listen on instead of host and port.")
    backlog: int = _option(2048, "Connections the kernel holds until they are accepted.", least=1)
    proactor: str = _option("any", "Event loop: `uvloop`, `asyncio`, or `any`.", among=PROACTORS)
    header_timeout: float = _option(10.0, "Time a request head may take.", least=0)
    body_timeout: float = _option(20.0, "The body must come at body_rate over this time.", least=0)
    body_rate: int = _option(256, "Bytes a second at which a body must come.", least=0)
    keep_alive_timeout: float = _option(75.0, "Time between requests; 0: no limit.", least=0)
    write_timeout: float = _option(60.0, "Time in which a client must take something.", least=0)
    shutdown_timeout: float = _option(8.0, "Time that requests have to end at a stop.", least=0)
    max_request_line: int = _option(8190, "Longest request line.", least=64)
    max_header_bytes: int = _option(65536, "Longest request head.", least=256)
    max_headers: int = _option(100, "Most header lines of a request.", least=1)
    max_body: int = _option(1 << 30, "Longest request body.", least=0)
    max_requests: int = _option(0, "Requests of one connection; 0: no limit.", least=0)
    max_connections: int = _option(16000, "Connections at once; 0: no limit.", least=0)


def parse_options(settings: dict[str, str]) -> Options:
    """Options from strings, as an ini or a command line holds them. Raises OptionError."""
    fields = {field.name: field for field in dataclasses.fields(Options)}
    values = {}
    for name, text in settings.items():
        if name not in fields:
            known = ", ".join(sorted(fields))
            raise OptionError(f"unknown server option {name!r}; there are: {known}")
        values[name] = _parse(fields[name], text)
    return Options(**values)


def _parse(field: "dataclasses.Field[Any]", text: str) -> Any:
    kind: Any = type(field.default)
    try:
        value = _BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        raise OptionError(f"{field.name} = {text!r}: not a {_KINDS[kind]}") from None
    limits = field.metadata
    if "among" in limits and value not in limits["among"]:
        raise OptionError(f"{field.name} = {text!r}: must be one of {', '.join(limits['among'])}")
    if "least" in limits and not value >= limits["least"]:
        raise OptionError(f"{field.name} = {text!r}: must be {limits['least']} or more")
    if "most" in limits and value > limits["most"]:
        raise OptionError(f"{field.name} = {text!r}: must be {limits['most']} or less")
    return value


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True,
             "false": False, "no": False, "off": False, "0": False}  # fmt: skip
_KINDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
