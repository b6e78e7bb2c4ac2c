"""Asking the running chat by its control socket."""

import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from chatapp.console.control import MOST_REQUEST, control_path
from chatapp.console.errors import ConsoleError

__all__ = ["NotReached", "ask"]

# What is done takes a moment; an export sends as it goes.
_ANSWER_SECONDS = 60.0


class NotReached(Exception):
    """Nobody answers there, and nothing was done; the message says why."""


def ask(data: str, verb: str, given: Mapping[str, Any], log: str) -> Iterator[str]:
    """The lines that come of it, of the chat whose `chat.data` that is, and whose log is called so.

    Raises NotReached, before the first; ConsoleError.
    """
    try:
        path = control_path(data)
    except ConsoleError as error:
        raise NotReached(str(error)) from None
    request = json.dumps({"verb": verb, "given": given}).encode() + b"\n"
    if len(request) > MOST_REQUEST:
        raise ConsoleError(f"that is more than {MOST_REQUEST} bytes")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(_ANSWER_SECONDS)
        try:
            sock.connect(path)
            answers = sock.makefile("rb")
            greeting = answers.readline()
            if not greeting:
                raise NotReached(f"{path} was closed")
        except PermissionError as error:
            raise ConsoleError(
                f"{path}: {error.strerror}: be the user who runs the chat, or root"
            ) from None
        except OSError as error:
            raise NotReached(f"{path}: {error.strerror or error}") from None
        theirs = json.loads(greeting).get("log", log)
        if theirs != log:
            raise ConsoleError(
                f"{path} is that of a chat whose log is {theirs}, and not {log}: "
                "give each chat a chat.data of its own"
            )
        try:
            sock.sendall(request)
            yield from _lines(answers, path)
        except OSError as error:
            raise ConsoleError(f"{path}: {error.strerror or error}") from None


def _lines(answers: Iterator[bytes], path: str) -> Iterator[str]:
    for answer in answers:
        match json.loads(answer):
            case {"lines": list(lines)}:
                yield from lines
            case {"error": str(line)}:
                raise ConsoleError(line)
            case {"done": True}:
                return
    raise ConsoleError(f"{path}: the chat ended before it had answered: look whether it was done")
