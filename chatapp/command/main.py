"""What the command line of `chatapp` says."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from chatapp.command.config import configuration
from chatapp.command.serve import serve_chat
from cogen.web.command import build

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what a verb says. Ends the program, with one line and status 1, if it cannot."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except BrokenPipeError:
        raise SystemExit(1) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chatapp", description="A comet chat")
    told = f"chatapp {version('ChatApp')}; cogen {version('cogen')}, {build()}"
    parser.add_argument("--version", action="version", version=told)
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    serve = verbs.add_parser("serve", help="serve the chat; messages are kept in a folder")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on [%(default)s]")
    serve.add_argument("--port", default="5000", help="port to listen on [%(default)s]")
    serve.add_argument("--data", default="data", help="folder of what is kept [%(default)s]")
    serve.set_defaults(run=lambda given: serve_chat(given.host, given.port, given.data))

    config = verbs.add_parser("config", help="print an ini for production, with its comments")
    config.set_defaults(run=lambda given: sys.stdout.write(configuration()))
    return parser
