"""`PylonsInstaller`: what `paster setup-app` and `paster make-config` do with an application.

And names that applications have from here.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from paste.deploy import appconfig
from paste.deploy.converters import asbool as asbool
from paste.script.appinstall import Installer
from paste.script.command import BadCommand
from paste.script.templates import Template as Template
from paste.script.templates import var as var

from pylons._calling import call_wsgi_application
from pylons._names import class_name_from_module_name, resolve_dotted
from pylons._namespaces import AttribSafeContextObj, ContextObj, PylonsContext
from pylons._projects import MinimalPylonsTemplate, PylonsTemplate

__all__ = [
    "AttribSafeContextObj",
    "ContextObj",
    "MinimalPylonsTemplate",
    "PylonsContext",
    "PylonsInstaller",
    "PylonsTemplate",
    "call_wsgi_application",
    "class_name_from_module_name",
    "resolve_dotted",
]


class PylonsInstaller(Installer):  # type: ignore[misc]
    """For the entry point group `paste.app_install`.

    `setup-app` calls `setup_app(command, conf, vars)` of the `websetup` module of each package of
    the distribution that has one. `make-config` writes the `config/deployment.ini_tmpl` of the
    first package that has one, or `paste_deploy_config.ini_tmpl` of the distribution's metadata: a
    string.Template, filled with what stands behind the file's name, `NAME=VALUE`. Without either it
    writes the least configuration.
    """

    use_cheetah = False
    config_file = "config/deployment.ini_tmpl"

    def setup_config(self, command: Any, filename: str, section: str, vars: Any) -> None:
        """Paste's own takes a package without `websetup` for an error."""
        for package, _ in self._packages():
            if find_spec(f"{package}.websetup") is not None:
                setup_app = import_module(f"{package}.websetup").setup_app
                setup_app(command, self._app_config(filename, section), vars)

    def write_config(self, command: Any, filename: str, vars: Any) -> None:
        """Paste's own hands text to a file opened for bytes. Raises BadCommand if it exists."""
        content = self.config_content(command, vars)
        if os.path.exists(filename):
            raise BadCommand(f"{filename} is there already: remove it, or name another file")
        command.ensure_file(filename, content.encode("utf-8"))

    def config_content(self, command: Any, vars: Any) -> str:
        """The text of the configuration. Raises BadCommand if a variable of it is not given."""
        for _, folder in self._packages():
            path = os.path.join(folder, self.config_file)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    return self.template_renderer(file.read(), vars, self.config_file)
        content: str = super().config_content(command, vars)
        return content

    def template_renderer(self, content: str, vars: Any, filename: str | None = None) -> str:
        """`content` with the values of `vars` for `$NAME`. Raises BadCommand if one is missing."""
        try:
            return string.Template(content).substitute(vars)
        except KeyError as error:
            name = error.args[0]
            raise BadCommand(f"{filename} needs {name}: add {name}=VALUE to the command") from None

    def _packages(self) -> Iterator[tuple[str, str]]:
        """Names and folders of the distribution's packages that can be imported."""
        # make-config has a distribution of pkg_resources, setup-app one of importlib.metadata.
        if hasattr(self.dist, "get_metadata_lines"):
            names = list(self.dist.get_metadata_lines("top_level.txt"))
        else:
            names = (self.dist.read_text("top_level.txt") or "").split()
        for name in names:
            spec = find_spec(name)
            if spec is not None:
                yield from ((name, folder) for folder in spec.submodule_search_locations or ())

    def _app_config(self, filename: str, section: str) -> Any:
        path = os.path.abspath(filename)
        conf = appconfig(f"config:{path}#{section.rpartition(':')[2]}")
        conf.filename = path
        return conf
