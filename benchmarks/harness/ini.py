"""The ini of a chat, as benchmarks and tests write it."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["chat_ini"]

_INI = """\
[server:main]
use = egg:ChatApp#http
{server}

[app:main]
use = egg:ChatApp
{app}

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = line
[logger_root]
level = INFO
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = line
[formatter_line]
format = %(asctime)s %(levelname)s %(name)s: %(message)s
"""


def chat_ini(server: Mapping[str, object], app: Mapping[str, object]) -> str:
    """An ini whose sections of the server and of the chat have these options, logging to stderr."""
    return _INI.format(server=_lines(server), app=_lines(app))


def _lines(options: Mapping[str, object]) -> str:
    return "\n".join(f"{name} = {value}" for name, value in options.items())
