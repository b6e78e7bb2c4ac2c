"""`chatapp serve`: the chat without an ini, on one port, with all that it keeps in one folder."""

import os
import sys

from chatapp.config.middleware import make_app
from cogen.web.life import expect_lives
from cogen.web.options import OptionError, Options, parse_options
from cogen.web.processes.logs import log_lines
from cogen.web.processes.signals import Signals
from cogen.web.processes.streams import open_standard_streams
from cogen.web.serving import ListenError, serve

__all__ = ["serve_chat"]

_SETTINGS = {"max_body": "131072"}


def serve_chat(host: str, port: str, data: str) -> None:
    """Serve until a signal says to stop. Ends the program with one line if it cannot start."""
    open_standard_streams()
    signals = Signals()
    folder = os.path.abspath(data)
    chat = {"chat.data": folder, "chat.log": f"sqlite:///{folder}/chat.db"}
    log_lines(several=False)
    expect_lives()
    try:
        options = parse_options({"host": host, "port": port, **_SETTINGS}, Options)
        command = [sys.executable, *sys.orig_argv[1:]]
        serve(lambda: make_app({}, **chat), options, command, signals)
    except (ListenError, OptionError) as error:
        raise SystemExit(f"chatapp: {error}") from None
