"""Commands of PasteScript that read an ini, and say in one line what is wrong with it.

The entry points of Pylons have their names, `serve` among them, and stand behind those of
PasteScript, so that `paster` takes these: it asks the distributions of a folder in the order of
their names.
"""

from __future__ import annotations

from typing import Any

from paste.script.appinstall import SetupCommand as _SetupCommand
from paste.script.command import BadCommand
from paste.script.request import RequestCommand as _RequestCommand
from paste.script.serve import ServeCommand as _ServeCommand

from pylons._inis import loading, logging_of, path_of

__all__ = ["RequestCommand", "ServeCommand", "SetupCommand"]


class ServeCommand(_ServeCommand):  # type: ignore[misc]
    """`paster serve`."""

    def loadserver(self, server_spec: str, *args: Any, **options: Any) -> Any:
        """The function that serves an application."""
        with loading(server_spec):
            return super().loadserver(server_spec, *args, **options)

    def loadapp(self, app_spec: str, *args: Any, **options: Any) -> Any:
        """The application. Ends the program if what the ini describes is none."""
        with loading(app_spec):
            application = super().loadapp(app_spec, *args, **options)
        if not callable(application):
            path = path_of(app_spec)
            raise SystemExit(f"{path}: it makes {application!r}, which cannot be called")
        return application

    def logging_file_config(self, config_file: str) -> None:
        """Set logging up, if the ini says how."""
        with logging_of(path_of(self.args[0])):
            super().logging_file_config(config_file)


class SetupCommand(_SetupCommand):  # type: ignore[misc]
    """`paster setup-app`."""

    def command(self) -> None:
        """Have the application's installer set it up."""
        with loading(self.args[0]):
            super().command()

    def logging_file_config(self, config_file: str) -> None:
        """Set logging up, if the ini says how."""
        with logging_of(path_of(self.args[0])):
            super().logging_file_config(config_file)

    def get_installer(self, distro: Any, ep_group: str, ep_name: str) -> Any:
        """The installer of a distribution. Raises BadCommand if it has none."""
        points = distro.entry_points.select(group="paste.app_install", name=ep_name)
        if not points:
            raise BadCommand(
                f"{distro.name} has no installer: an entry point {ep_name!r} of paste.app_install,"
                " like pylons.util:PylonsInstaller",
                exit_code=1,
            )
        return super().get_installer(distro, ep_group, ep_name)


class RequestCommand(_RequestCommand):  # type: ignore[misc]
    """`paster request` and `paster post`."""

    def command(self) -> Any:
        """Write what the application answers."""
        with loading(self.args[0]):
            return super().command()
