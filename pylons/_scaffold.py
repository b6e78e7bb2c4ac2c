"""A project's files, and new controllers in it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from keyword import iskeyword
from typing import Any

from paste.script.command import BadCommand
from paste.script.pluginlib import find_egg_info_dir
from paste.util.template import paste_script_template_renderer

from pylons._projects import TEMPLATES

__all__ = ["Project"]


class Project:
    """The project that a folder is in."""

    def __init__(self, folder: str, simulate: bool = False) -> None:
        """With `simulate` nothing is written. Raises BadCommand if the folder is in none."""
        egg_info = find_egg_info_dir(folder)
        if egg_info is None:
            raise BadCommand("this folder is in no project: run `python setup.py egg_info` in it")
        self.root = os.path.dirname(egg_info)
        self._simulate = simulate
        with open(os.path.join(egg_info, "top_level.txt"), encoding="utf-8") as file:
            names = file.read().split()
        found = [
            name for name in names if os.path.isdir(os.path.join(self.root, name, "controllers"))
        ]
        if len(found) != 1:
            told = f"{', '.join(found)} all have" if found else "none has"
            raise BadCommand(f"of the packages {', '.join(names)} {told} a folder controllers/")
        self.package = found[0]

    def make_controller(self, name: str, with_test: bool) -> None:
        """Write a controller, and a test. Raises BadCommand if one is there or cannot be."""
        folder, module = self._named(name)
        values = {"fname": "/".join([*folder, module])}
        self._write("controller", folder, module, values, with_test)

    def make_resource(self, singular: str, plural: str, with_test: bool) -> str:
        """As `make_controller` for a resource of Routes; returns the line of its routes."""
        folder, module = self._named(plural)
        _, member = self._split(singular)
        prefix = "".join(f"{each}_" for each in folder)
        place = "/".join(folder)
        command = f'mapper.resource("{member}", "{module}")'
        if folder:
            command = (
                f'mapper.resource(\n        "{member}", "{module}", controller="{place}/{module}",'
                f' path_prefix="/{place}", name_prefix="{prefix}"\n    )'
            )
        values = {
            "singularname": member,
            "pluralname": module,
            "prefix": prefix,
            "path": "/" + "/".join([*folder, module]),
            "command": command,
        }
        self._write("restcontroller", folder, module, values, with_test)
        return command

    def _split(self, name: str) -> tuple[list[str], str]:
        """Folders and module: `admin/trackback`, `admin.trackback` and `admin/trackback.py`."""
        parts = name.removesuffix(".py").replace(".", "/").replace("-", "_").split("/")
        if not all(
            part.isidentifier() and part.isascii() and not iskeyword(part) for part in parts
        ):
            raise BadCommand(
                f"{name!r} is no name of a module: letters, digits and _, like comments"
            )
        return parts[:-1], parts[-1]

    def _named(self, name: str) -> tuple[list[str], str]:
        folder, module = self._split(name)
        if module.lower() == self.package.lower():
            raise BadCommand(f"a controller cannot have the name of the package, {self.package}")
        # setup.py is in the folder of every project.
        if not folder and module != "setup" and find_spec(module) is not None:
            raise BadCommand(
                f"there is a module {module} already, which the controller would hide: name it"
                f" my_{module}, with a route"
                f' mapper.connect("/{module}/{{action}}", controller="my_{module}")'
            )
        return folder, module

    def _write(
        self, kind: str, folder: list[str], module: str, values: dict[str, Any], with_test: bool
    ) -> None:
        values = {
            **values,
            "name": "".join(part.capitalize() for part in module.split("_")),
            "package": self.package,
            "importstatement": self._import(),
        }
        files = {os.path.join("controllers", *folder, f"{module}.py"): f"{kind}.py_tmpl"}
        if with_test:
            test = "_".join(["test", *folder, module])
            files[os.path.join("tests", "functional", f"{test}.py")] = f"test_{kind}.py_tmpl"
        for path in files:
            if os.path.exists(os.path.join(self.root, self.package, path)):
                raise BadCommand(f"{os.path.join(self.package, path)} is there already")
        for path, template in files.items():
            with open(os.path.join(TEMPLATES, template), encoding="utf-8") as file:
                content = paste_script_template_renderer(file.read(), values, template)
            self._create(path, content)

    def _create(self, path: str, content: str) -> None:
        """Write a file of the package, and __init__.py in each folder above it that has none."""
        place = os.path.join(self.root, self.package)
        for part in os.path.dirname(path).split(os.sep):
            place = os.path.join(place, part)
            if not os.path.exists(os.path.join(place, "__init__.py")):
                self._put(os.path.join(place, "__init__.py"), "")
        self._put(os.path.join(self.root, self.package, path), content)

    def _put(self, place: str, content: str) -> None:
        sys.stdout.write(f"Creating {place}\n")
        if not self._simulate:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8") as file:
                file.write(content)

    def _import(self) -> str:
        """Where this project's controllers have their base class from."""
        base = os.path.join(self.root, self.package, "lib", "base.py")
        module = "lib.base" if os.path.exists(base) else "controllers"
        return f"from {self.package}.{module} import BaseController"
