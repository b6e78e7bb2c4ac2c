"""Commands of `paster` in a project's folder: `controller`, `restcontroller`, `routes`, `shell`.

`paster` has them in every folder. In 1.0 it had them where a project's .egg-info names Pylons in
its paster_plugins.txt, which pip's installing of a project does not write.
"""

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar

from paste.deploy import loadapp
from paste.script.command import BadCommand, Command

from pylons._inis import loading, logging_of
from pylons._scaffold import Project
from pylons._shell import Shell

__all__ = ["ControllerCommand", "RestControllerCommand", "RoutesCommand", "ShellCommand"]


class ControllerCommand(Command):  # type: ignore[misc]
    """Create a Controller and accompanying functional test

    NAME may be in folders, as admin/trackback. It is the first part of the controller's URLs.
    """

    summary: ClassVar[str] = "Create a Controller and accompanying functional test"
    usage: ClassVar[str] = "NAME"
    min_args: ClassVar[int] = 1
    max_args: ClassVar[int] = 1
    group_name: ClassVar[str] = "pylons"
    parser: ClassVar[Any] = Command.standard_parser(simulate=True)
    parser.add_option("--no-test", action="store_true", help="make no test, only the controller")

    def command(self) -> None:
        """Write the files. Raises BadCommand if they are there, or the name will not do."""
        project = Project(os.getcwd(), self.options.simulate)
        project.make_controller(self.args[0], not self.options.no_test)


class RestControllerCommand(ControllerCommand):
    """Create a REST Controller and accompanying functional test

    SINGULAR and PLURAL name the resource: comment comments, or admin/trackback admin/trackbacks.
    """

    summary = "Create a REST Controller and accompanying functional test"
    usage = "SINGULAR PLURAL"
    min_args = 2
    max_args = 2

    def command(self) -> None:
        """Write the files, and tell which route to add. Raises BadCommand as `controller` does."""
        project = Project(os.getcwd(), self.options.simulate)
        singular, plural = self.args
        command = project.make_resource(singular, plural, not self.options.no_test)
        sys.stdout.write(f"\nAdd this route near the top of make_map:\n\n    {command}\n\n")


class _ConfigCommand(Command):  # type: ignore[misc]
    """Loads the application of an ini file: the argument, else development.ini."""

    usage: ClassVar[str] = "[CONFIG_FILE]"
    min_args: ClassVar[int] = 0
    max_args: ClassVar[int] = 1
    group_name: ClassVar[str] = "pylons"
    parser: ClassVar[Any] = Command.standard_parser(simulate=True)
    parser.add_option(
        "-q", action="count", dest="quiet", default=0, help="do not set up the ini's logging"
    )

    def _load(self) -> Any:
        name = self.args[0] if self.args else "development.ini"
        if not os.path.isfile(name):
            raise BadCommand(f"there is no {name} in this folder: name the ini file")
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        if not self.options.quiet:
            with logging_of(name):
                self.logging_file_config(name)
        with loading(name):
            return loadapp(f"config:{name}", relative_to=os.getcwd())


class RoutesCommand(_ConfigCommand):
    """Print the applications routes"""

    summary: ClassVar[str] = "Print the applications routes"

    def command(self) -> None:
        """Write a table of names, methods and paths."""
        self._load()
        from pylons.configuration import config

        sys.stdout.write(f"{config['routes.map']}\n")


class ShellCommand(_ConfigCommand):
    """Open an interactive shell with the Pylons app loaded

    A request for / is in progress in it, so that `request`, `url` and the rest can be used. `app`
    is the application for WebTest, if that is installed.
    """

    summary: ClassVar[str] = "Open an interactive shell with the Pylons app loaded"
    parser = Command.standard_parser(simulate=True)
    parser.add_option(
        "-d", "--disable-ipython", action="store_true", help="take Python's own, not IPython"
    )
    parser.add_option(
        "-q", action="count", dest="quiet", default=0, help="do not set up the ini's logging"
    )

    def command(self) -> None:
        """Open it; it ends with the input."""
        Shell(self._load()).run(not self.options.disable_ipython)
