"""What `paster create -t pylons` and `-t pylons_minimal` make a project of."""

from __future__ import annotations

import os
import re
import secrets
import sys
from importlib.util import find_spec
from keyword import iskeyword
from typing import Any, ClassVar, Final

from paste.deploy.converters import asbool
from paste.script.command import BadCommand
from paste.script.templates import Template, var
from paste.util.template import paste_script_template_renderer

__all__ = ["ENGINES", "TEMPLATES", "MinimalPylonsTemplate", "PylonsTemplate"]

TEMPLATES: Final = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
"""The folder of what projects are made of."""

_PROJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*")
_LIBRARIES: Final = frozenset(
    {
        *("babel", "beaker", "cogen", "formencode", "genshi", "jinja2", "mako", "markupsafe"),
        *("nose", "paste", "pylons", "routes", "sqlalchemy", "webob", "webtest"),
    }
)

_NEEDED: Final = {
    "genshi": "Genshi",
    "jinja2": "Jinja2",
    "mako": "Mako",
    "sqlalchemy": "SQLAlchemy",
}
ENGINES: Final = ("mako", "jinja2", "genshi")
"""What `template_engine` may be."""


class PylonsTemplate(Template):  # type: ignore[misc]
    """A project in the layout of Pylons 1.0, with a page, a waiting action and their tests."""

    _template_dir: ClassVar[str] = "default_project"
    summary: ClassVar[str] = "Pylons application template"
    template_renderer = staticmethod(paste_script_template_renderer)
    vars: ClassVar[list[Any]] = [
        var("template_engine", f"{'/'.join(ENGINES)}: Template language", default="mako"),
        var("sqlalchemy", "True/False: Include SQLAlchemy configuration", default=False),
    ]

    def template_dir(self) -> str:
        """The folder that is copied."""
        return os.path.join(TEMPLATES, self._template_dir)

    def pre(self, command: Any, output_dir: str, vars: dict[str, Any]) -> None:
        """Complete what the files are filled with.

        Raises BadCommand for a name that will not do, and for an unknown engine.
        """
        _check_names(vars["project"], vars["package"])
        engine = vars["template_engine"]
        if engine not in ENGINES:
            raise BadCommand(f"template_engine is one of {', '.join(ENGINES)}, not {engine!r}")
        try:
            vars["sqlalchemy"] = asbool(vars.get("sqlalchemy", False))
        except ValueError:
            raise BadCommand(f"sqlalchemy is True or False, not {vars['sqlalchemy']!r}") from None
        for name in ("description", "author", "author_email", "url"):
            vars.setdefault(name, "")
        vars.setdefault("version", "0.1")
        vars["extra"] = "" if engine == "mako" else f"[{engine}]"
        # The root logger has that name already.
        vars["package_logger"] = "app" if vars["package"] == "root" else vars["package"]
        vars["secret"] = secrets.token_hex(32)
        # For files that have braces of their own.
        vars["left"], vars["right"] = "{{", "}}"

    def post(self, command: Any, output_dir: str, vars: dict[str, Any]) -> None:
        """Tell what the project needs and is not here: `paster` itself fails in its folder then."""
        wanted = [vars["template_engine"], *(["sqlalchemy"] if vars["sqlalchemy"] else [])]
        missing = [_NEEDED[name] for name in wanted if find_spec(name) is None]
        if missing:
            told = "is not installed, and without it paster fails in the project's folder"
            names = " ".join(missing)
            sys.stdout.write(f"What the project needs {told}: pip install {names}\n")


def _check_names(project: str, package: str) -> None:
    if not _PROJECT.fullmatch(project):
        raise BadCommand(
            f"{project!r} is no name of a project: letters, digits and -, like my-site"
        )
    if not package.isidentifier() or iskeyword(package):
        raise BadCommand(f"the package of {project} would be {package}, which is no name in Python")
    if package in sys.stdlib_module_names or package in _LIBRARIES:
        raise BadCommand(
            f"the package of {project} would be {package}, and hide the module of that name: name"
            f" the project my-{package}"
        )


class MinimalPylonsTemplate(PylonsTemplate):
    """A project that is one package, and no more than it takes."""

    _template_dir = "minimal_project"
    summary = "Pylons minimal application template"
    vars = PylonsTemplate.vars[:1]
