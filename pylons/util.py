"""`PylonsInstaller`: what `paster setup-app` and `paster make-config` do with an application."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from paste.deploy import appconfig
from paste.script.appinstall import Installer

__all__ = ["PylonsInstaller"]


class PylonsInstaller(Installer):  # type: ignore[misc]
    """For the entry point group `paste.app_install`.

    `setup-app` calls `setup_app(command, conf, vars)` of the `websetup` module of each package of
    the distribution that has one. `make-config` writes the distribution's
    `paste_deploy_config.ini_tmpl`, a string.Template, or the least configuration without one.
    """

    use_cheetah = False

    def setup_config(self, command: Any, filename: str, section: str, vars: Any) -> None:
        """Paste's own takes a package without `websetup` for an error."""
        for package in self.dist.get_metadata_lines("top_level.txt"):
            if find_spec(package) is not None and find_spec(f"{package}.websetup") is not None:
                setup_app = import_module(f"{package}.websetup").setup_app
                setup_app(command, self._app_config(filename, section), vars)

    def write_config(self, command: Any, filename: str, vars: Any) -> None:
        """Paste's own hands text to a file opened for bytes."""
        command.ensure_file(filename, self.config_content(command, vars).encode("utf-8"))

    def _app_config(self, filename: str, section: str) -> Any:
        path = os.path.abspath(filename)
        conf = appconfig(f"config:{path}#{section.rpartition(':')[2]}")
        conf.filename = path
        return conf
