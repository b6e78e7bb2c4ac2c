"""The `paste.server_factory` entry points `http` and `wsgi`."""

import io
import os
import sys
from collections.abc import Callable
from types import ModuleType

from cogen.web.life import Application, expect_lives
from cogen.web.options import OptionError, Options, parse_options
from cogen.web.processes.logs import log_lines_unless_configured
from cogen.web.processes.signals import Signals
from cogen.web.processes.streams import open_standard_streams
from cogen.web.serving import ListenError, serve
from cogen.web.settings.deployed import server_settings
from cogen.web.settings.faults import say_faults
from cogen.web.settings.ini import Ini

__all__ = ["server_factory", "server_options"]


def server_factory(global_conf: dict[str, str], **settings: str) -> Callable[[Application], None]:
    """Read the options of a [server:...] section; returns what serves an application.

    Variables of the command line come before the section: `paster serve INI port=5080`, for which
    `http_port` is another name. Ends the program with one line that names the option that is
    unknown or wrong, or the address that cannot be listened on.
    """
    open_standard_streams()
    paster = sys.modules.get("paste.script.serve")
    if paster is not None:
        _write_to_log_file(paster)
        say_faults(paster, global_conf.get("__file__", ""))
    signals = Signals()
    expect_lives()
    # Into a file or a pipe, what paster prints at the start would be seen at the end.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    try:
        ini = Ini(global_conf)
        ini.check_values()
        options = server_options(ini, global_conf, settings)
    except OptionError as error:
        raise SystemExit(f"cogen: {error}") from None

    def serve_forever(application: Application) -> None:
        log_lines_unless_configured(options.workers > 1, ini.has_section("loggers"))
        try:
            serve(lambda: application, options, _command(), signals)
        except (ListenError, OptionError) as error:
            _fail(f"cogen: {error}")
        except SystemExit as error:
            _fail(f"{error}")

    return serve_forever


def server_options(ini: Ini, global_conf: dict[str, str], given: dict[str, str]) -> Options:
    """The options of a section of `ini`, of which PasteDeploy gave these. Raises OptionError."""
    return parse_options(server_settings(ini, global_conf, given), Options)


# What paster does to its own process, which is not to be done to a worker.
_ONCE = ("--daemon", "start", "restart", "--reload", "--monitor-restart")
_ONCE_WITH_VALUE = ("--pid-file", "--log-file", "--user", "--group", "--reload-interval")


def _write_to_log_file(paster: ModuleType) -> None:
    """By `--log-file` and `--daemon` Python's streams lead to a file; also for workers then."""
    if isinstance(sys.stderr, paster.LazyWriter):
        for descriptor in (1, 2):
            os.dup2(sys.stderr.open().fileno(), descriptor)


def _command() -> list[str]:
    """The command that started paster, to start workers by."""
    command = [sys.executable]
    arguments = iter(sys.orig_argv[1:])
    for argument in arguments:
        if argument in _ONCE_WITH_VALUE:
            next(arguments, None)
        elif argument not in _ONCE and argument.partition("=")[0] not in _ONCE_WITH_VALUE:
            command.append(argument)
    return command


def _fail(line: str) -> None:
    """paster ends with status 0 after a SystemExit of its server, but not after its own error."""
    paster = sys.modules.get("paste.script.command")
    raise SystemExit(line) if paster is None else paster.BadCommand(line, exit_code=1)
