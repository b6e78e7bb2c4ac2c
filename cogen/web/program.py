"""What `cogen-serve` was asked for: the options from all places, and the application."""

import dataclasses
import functools
import logging
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import NoReturn

from cogen.web.factory import server_factory
from cogen.web.life import Application, expect_lives
from cogen.web.options import OptionError, Options, parse_options
from cogen.web.processes.changes import Changes
from cogen.web.processes.logconfig import configure_logging, has_loggers, set_level
from cogen.web.processes.logs import log_accesses, log_lines
from cogen.web.processes.signals import Signalled, Signals
from cogen.web.processes.streams import settle_standard_streams
from cogen.web.processes.worker import is_worker
from cogen.web.serving import ListenError, serve
from cogen.web.settings.deployed import Deployed, is_ini
from cogen.web.settings.loading import load
from cogen.web.settings.sources import Settings, from_environment, from_file
from cogen.web.settings.tracebacks import own_frames

__all__ = ["CannotServe", "NotLoaded", "Program"]

log = logging.getLogger(__name__)


class CannotServe(Exception):
    """What was asked for can be, and failed; the message says why, in one line."""


class NotLoaded(CannotServe):
    """The application's own code failed; its traceback is on standard error."""


class Program:
    """`given` are the options of the command line, `named` its other words. Raises OptionError.

    `where` names the application, `options` are all, `origins` says where each came from.
    """

    def __init__(self, given: Mapping[str, str], named: Sequence[str]) -> None:
        settings = Settings()
        settings.add("the command line", given)
        if named:
            settings.add("the command line", {"application": named[0]})
        settings.add("the environment", from_environment(os.environ))
        if "config" in settings.texts:
            path = settings.texts["config"]
            settings.add(path, from_file(path))
        # Before an ini, which may name modules.
        before = settings.options()
        if not before.application:
            raise OptionError("nothing is named: MODULE:NAME, a file, or an ini (--help)")
        self.where = before.application
        self._enter(before.app_dir)
        self._ini = self._read_ini(named[1:], settings)
        if before.access_log_file:
            settings.add("access_log_file", {"access_log": "combined"})
        self.options = settings.options()
        self.origins = settings.origins
        if self._ini is not None and self.options.factory:
            raise OptionError(f"{self.where}: --factory is for modules; an ini names factories")
        if self.options.log_config and self.options.log_file:
            raise OptionError("log_config says where the log goes: leave out log_file")

    def _enter(self, folder: str) -> None:
        if not os.path.isdir(folder):
            raise OptionError(f"app_dir = {folder!r}: there is no such folder")
        sys.path.insert(0, os.path.abspath(folder))

    def _read_ini(self, rest: Sequence[str], settings: Settings) -> Deployed | None:
        if not is_ini(self.where):
            if rest:
                raise OptionError(f"unexpected argument {rest[0]!r} (--help)")
            return None
        for each in rest:
            if "=" not in each:
                raise OptionError(f"unexpected argument {each!r}: a variable is NAME=VALUE")
        variables = {name: value for name, _, value in (each.partition("=") for each in rest)}
        ini = Deployed(self.where, variables, server_factory)
        try:
            parse_options(ini.settings, Options)
        except OptionError as error:
            raise OptionError(f"{self.where}: [server:main]: {error}") from None
        settings.add(f"[server:main] of {self.where}", ini.settings)
        return ini

    # What it does.

    def log(self) -> None:
        """Have lines go where the options say. Raises OptionError, CannotServe."""
        options, ini = self.options, self._ini
        path = options.log_config
        if not path and ini is not None and not options.log_file and has_loggers(ini.path):
            path = ini.path
        try:
            if path:
                configure_logging(path)
            else:
                log_lines(options.workers > 1, options.log_file)
            if options.access_log != "off" and (options.access_log_file or not path):
                log_accesses(options.access_log_file)
        except OSError as error:
            why = error.strerror or error
            raise CannotServe(f"the log cannot be written to {error.filename}: {why}") from None
        if options.log_level:
            set_level(options.log_level)
        for note in ini.notes if ini is not None else ():
            log.warning("%s: %s", self.where, note)

    def load(self) -> Application:
        """The application. Raises OptionError, NotLoaded."""
        try:
            if self._ini is not None:
                return self._ini.load()
            return load(self.where, self.options.factory)
        except (OptionError, Signalled):
            raise
        except SystemExit as end:
            if isinstance(end.code, str):  # which says why
                raise
            raise NotLoaded(
                f"{self.where}: it ended the program with status {end.code or 0}, while it was "
                "imported or made"
            ) from None
        except Exception as error:  # noqa: BLE001 (its author gets the traceback)
            traceback.print_exception(error.with_traceback(own_frames(error)))
            raise NotLoaded(
                f"{self.where}: it raised {type(error).__name__} while it was imported or made"
            ) from None

    def serve(self, signals: Signals) -> None:
        """Serve until a signal says to stop. Raises OptionError, CannotServe."""
        self.log()
        expect_lives()
        command = [sys.executable, *sys.orig_argv[1:]]
        changes = self._watch(signals, command) if self.options.reload else None
        try:
            serve(self.load, self.options, command, signals)
        except ListenError as error:
            raise CannotServe(f"{error}") from None
        except (NotLoaded, SystemExit) as error:
            # An application may end with one line itself.
            failed = error if isinstance(error, NotLoaded) else error.code
            if changes is None or not isinstance(failed, NotLoaded | str):
                raise
            sys.stderr.write(f"{failed}\n")
            sys.stderr.write("cogen-serve: it starts anew when a file has changed\n")
            changes.wait()
            _start_anew(command)
        finally:
            if changes is not None:
                changes.close()

    # Reloading.

    def _watch(self, signals: Signals, command: list[str]) -> Changes | None:
        """Have changes of files ask for a reload, of the first process, not of what it starts.

        While that one is still starting, which may hang, it is `command` anew.
        """
        # Read by applications. And Python's caches of modules know the second of a change only.
        os.environ["COGEN_RELOAD"] = "true"
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        options = self.options
        self.options = dataclasses.replace(options, workers=1)
        if is_worker():
            return None
        if options.workers > 1:
            log.info("with --reload one process serves, not %d", options.workers)
        files = [path for path in (options.config, options.log_config) if path]
        folders = {options.app_dir}
        place = self.where.partition("#" if self._ini is not None else ":")[0]
        if os.path.isfile(place):
            folders.add(os.path.dirname(place) or ".")
        if self._ini is not None:
            files += self._ini.files
        start_anew = functools.partial(_start_anew, command)
        changes = Changes(folders, files, lambda: signals.changed(start_anew))
        changes.start()
        return changes


def _start_anew(command: list[str]) -> NoReturn:
    """Be `command` from now on, in any thread: whatever the others do ends."""
    settle_standard_streams()
    os.execv(command[0], command)
