"""The server's options: one table for the ini, the command line and the docs.

An application can have a table of its own in the same way: a dataclass of `option` fields.
"""

import dataclasses
import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from cogen.core.schedulers import PROACTORS

__all__ = ["OptionError", "Options", "option", "parse_options", "unknown_option"]

_Table = TypeVar("_Table")


class OptionError(ValueError):
    """An option is unknown or has a bad value; the message names it.

    `others` of the same table that are wrong too.
    """

    others: "Sequence[OptionError]" = ()


def option(default: Any, doc: str, **limits: Any) -> Any:
    """A field with its default, its line in the docs and limits: `least`, `most`, `among`,
    `number_or`, `form` (a pattern of the whole text and what that is, in words)."""
    return dataclasses.field(default=default, metadata={"doc": doc, **limits})


_PATH = (r"(/[^\s?#]*)?", "a path of URLs: it begins with /, and ends before a ?")
_ACCESS_LOGS = ("off", "common", "combined", "json")
_FILE_MODE = ("[0-7]{3,4}", "an octal file mode like 660")
# The system and Python's collector take an int of C.
_INT_MAX = 2**31 - 1
_MOST_WORKERS = 1_000
_MOST_THREADS = 10_000


@dataclasses.dataclass(frozen=True)
class Options:
    """Every option of the server with its default. Times are seconds, sizes are bytes."""

    host: str = option("127.0.0.1", "Address to listen on; `::` is every IPv6 and IPv4 address.")
    port: int = option(8080, "Port to listen on; 0 takes a free one.", least=0, most=65535)
    unix_socket: str = option("", "Path of a Unix socket to listen on instead of host and port.")
    unix_mode: str = option("660", "Who may connect to the Unix socket, in octal.", form=_FILE_MODE)
    certificate: str = option("", "File of the TLS certificate and its chain; empty: no TLS.")
    key: str = option("", "File of the certificate's key, if it is not in the same file.")
    backlog: int = option(
        2048, "Connections the kernel holds until they are accepted.", least=1, most=_INT_MAX
    )
    trusted_proxies: str = option(
        "", "Addresses and networks, `unix` or `*`, of proxies that tell of their clients."
    )
    proxy_headers: str = option(
        "X-Forwarded-For, X-Forwarded-Proto",
        "The headers that those proxies set, of `Forwarded` and `X-Forwarded-For`, `-Proto`, "
        "`-Host`, `-Prefix`; the others are dropped.",
    )
    proxy_protocol: bool = option(
        False,
        "Connections come from trusted_proxies alone, and begin with a header of the PROXY "
        "protocol, version 1 or 2, that tells the client's address.",
    )
    allowed_hosts: str = option(
        "",
        "The hosts that requests may be for, also `*.NAME`, or `*` for any; another is refused "
        "with 421. Empty: on a loopback address names without a dot, `*.localhost` and addresses, "
        "else `*`.",
    )
    workers: int = option(
        1, "Processes that serve; more than 1 are supervised.", least=1, most=_MOST_WORKERS
    )
    threads: str = option(
        "auto",
        "Threads that run the application: `auto` begins with 4 and adds as it blocks; a number is"
        " fixed; 0: it runs on the loop and must not block.",
        number_or="auto",
        most=_MOST_THREADS,
    )
    threads_max: int = option(
        200, "With `threads = auto`, the most threads.", least=1, most=_MOST_THREADS
    )
    proactor: str = option("any", "Event loop: `uvloop`, `asyncio`, or `any`.", among=PROACTORS)
    server_timing: bool = option(
        False,
        "Each answer's head says how long the request took until then: Server-Timing, in "
        "milliseconds. Browsers show it; strangers see it too.",
    )
    access_log: str = option(
        "off",
        "A line for each request: `common`, `combined`, `json`, or `off`.",
        among=_ACCESS_LOGS,
    )
    metrics_path: str = option(
        "", "Path that answers Prometheus, like /metrics; empty: none.", form=_PATH
    )
    health_path: str = option(
        "", "Path that tells whether it serves, like /healthz; empty: none.", form=_PATH
    )
    ready_path: str = option(
        "",
        "Path that tells whether requests can be answered, like /readyz; empty: none.",
        form=_PATH,
    )
    dump_path: str = option(
        "",
        "Path that tells what threads, requests and coroutines are at, with their stacks, like "
        "/dump; empty: none. It is not for strangers.",
        form=_PATH,
    )
    stall_warning: float = option(
        0.5,
        "Time that code may hold the event loop, or a request wait because all threads are held, "
        "until the log says which; 0: none is looked for.",
        least=0,
    )
    slow_request: float = option(
        0.0,
        "A request that takes the application this long, its waits not counted, has a line in the "
        "log; 0: none has.",
        least=0,
    )
    header_timeout: float = option(10.0, "Time a request head may take; 0: no limit.", least=0)
    body_timeout: float = option(
        20.0, "The body must come at body_rate over this time; 0: no limit.", least=0
    )
    body_rate: int = option(256, "Bytes a second at which a body must come; 0: no limit.", least=0)
    keep_alive_timeout: float = option(75.0, "Time between requests; 0: no limit.", least=0)
    write_timeout: float = option(
        60.0, "Time in which a client must take something; 0: no limit.", least=0
    )
    shutdown_timeout: float = option(8.0, "Time that requests have to end at a stop.", least=0)
    reload_timeout: float = option(
        60.0,
        "Time that a new process has until it serves, at a reload or in place of one that ended; "
        "0: no limit.",
        least=0,
    )
    close_timeout: float = option(5.0, "Time in which the close() of a response may wait.", least=0)
    gc_freeze: bool = option(
        True, "Leave what lasts out of garbage collections until the process has grown much."
    )
    gc_threshold: int = option(
        10_000,
        "Objects made until the young ones are searched for garbage; 0: as Python has it.",
        least=0,
        most=_INT_MAX,
    )
    max_request_line: int = option(8190, "Longest request line.", least=64)
    max_header_bytes: int = option(65536, "Longest request head.", least=256)
    max_headers: int = option(100, "Most header lines of a request.", least=1)
    max_body: int = option(1 << 30, "Longest request body.", least=0)
    spool_body: int = option(
        1 << 20, "With threads, a request body above this size waits in a temporary file.", least=0
    )
    spool_total: int = option(
        1 << 30, "With threads, bytes of all request bodies taken in; beyond them 503.", least=0
    )
    max_requests: int = option(0, "Requests of one connection; 0: no limit.", least=0)
    max_connections: int = option(
        16000, "Connections at once; 0: no limit.", least=0, most=_INT_MAX
    )
    max_connections_per_address: int = option(
        0,
        "Connections at once from one address; 0: no limit. Behind a proxy all have its own.",
        least=0,
    )

    def thread_limits(self) -> tuple[int, int] | None:
        """The least and the most threads of the application; None: it runs on the loop."""
        if self.threads == "auto":
            return min(_THREADS, self.threads_max), self.threads_max
        count = int(self.threads)
        return (count, count) if count else None


# Threads that `auto` begins with.
_THREADS = 4


def parse_options(
    settings: Mapping[str, str],
    table: type[_Table],
    noun: str = "server option",
    prefix: str = "",
) -> _Table:
    """Make a `table` of strings, as an ini or a command line holds them. Raises OptionError.

    `prefix` is what the names of `settings` begin with, and those of the table's fields do not.
    """
    fields = {prefix + field.name: field for field in dataclasses.fields(table)}  # type: ignore[arg-type]
    values = {}
    errors = []
    for name, text in settings.items():
        if name not in fields:
            errors.append(unknown_option(noun, name, fields))
            continue
        try:
            values[fields[name].name] = _parse(fields[name], text)
        except OptionError as error:
            errors.append(OptionError(f"{prefix}{error}"))
    if errors:
        errors[0].others = errors[1:]
        raise errors[0]
    return table(**values)


def unknown_option(noun: str, name: str, known: Iterable[str], near: str = "") -> OptionError:
    """What to raise for a name that is none of the `known`; `near`: what it may be meant for."""
    found = difflib.get_close_matches(near or name, known, n=1)
    if found:
        return OptionError(f"unknown {noun} {name!r}: is {found[0]} meant?")
    return OptionError(f"unknown {noun} {name!r}; there are: {', '.join(sorted(known))}")


def _parse(field: "dataclasses.Field[Any]", text: str) -> Any:
    kind: Any = type(field.default)
    try:
        value = _BOOLEANS[text.lower()] if kind is bool else kind(text)
        if kind is float and not math.isfinite(value):
            raise ValueError("no time that could pass")
    except (ValueError, KeyError):
        raise OptionError(f"{field.name} = {text!r}: not a {_KINDS[kind]}") from None
    limits = field.metadata
    if "form" in limits and not re.fullmatch(limits["form"][0], text):
        raise OptionError(f"{field.name} = {text!r}: not {limits['form'][1]}")
    if "among" in limits and value not in limits["among"]:
        raise OptionError(f"{field.name} = {text!r}: must be one of {', '.join(limits['among'])}")
    if "number_or" in limits:
        if text == limits["number_or"]:
            return text
        if not text.isdecimal():
            raise OptionError(
                f"{field.name} = {text!r}: must be {limits['number_or']} or a whole number"
            )
        number = int(text)
    else:
        number = value
    if "least" in limits and not number >= limits["least"]:
        raise OptionError(f"{field.name} = {text!r}: must be {limits['least']} or more")
    if "most" in limits and number > limits["most"]:
        raise OptionError(f"{field.name} = {text!r}: must be {limits['most']} or less")
    return value


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True,
             "false": False, "no": False, "off": False, "0": False}  # fmt: skip
_KINDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
