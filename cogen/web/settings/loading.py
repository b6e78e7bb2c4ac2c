"""From what a command line names to the application.

`module:callable`, the callable being `application` or `app` if none is named; `module:factory()`,
which is called, with literal arguments if there are any; a file in place of the module. With
`--factory` what is named is called without arguments, `create_app` or `make_app` if nothing is.
"""

import ast
import importlib
import importlib.machinery
import importlib.util
import inspect
import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from cogen.web.life import Application
from cogen.web.options import OptionError

__all__ = ["load"]

log = logging.getLogger(__name__)

_Call = tuple[list[Any], dict[str, Any]]

_NAMES = ("application", "app")
_FACTORIES = ("create_app", "make_app")


def load(where: str, factory: bool = False) -> Application:
    """The application that `where` names, or that the `factory` which it names makes.

    Raises OptionError, with what to write instead.
    """
    place, _, expression = where.partition(":")
    if not place:
        _fail(where, "it names no module; write MODULE:NAME")
    module = _file(where, place) if _is_file(place) else _module(where, place)
    if not expression:
        expression = _usual_name(where, module, factory)
        log.info("%s of %s is served", f"{expression}()" if factory else expression, place)
    path, call = _parsed(where, expression)
    if factory:
        if call is not None:
            _fail(where, "it is called already; leave out either the brackets or --factory")
        call = [], {}
    found = _attribute(where, module, path)
    if call is not None:
        found = _made(where, found, call)
    if not callable(found):
        _fail(where, f"{found!r} cannot be called, so it is no application")
    if call is None:
        _check_is_made(where, path[-1], found)
    _check_arguments(where, found, call is None)
    application: Application = found
    return application


def _fail(where: str, line: str) -> NoReturn:
    raise OptionError(f"{where}: {line}") from None


def _is_file(place: str) -> bool:
    """A file like `site.wsgi` is one if no module has that name."""
    return place.endswith(".py") or os.sep in place or (os.path.isfile(place) and not _known(place))


def _known(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _file(where: str, place: str) -> ModuleType:
    """The module of a file, as part of the package in which it lies."""
    path = Path(place).resolve()
    if not path.is_file():
        _fail(where, f"there is no file {place!r}")
    if path.suffix != ".py":
        return _script(path)
    names = [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        names.insert(0, folder.name)
        folder = folder.parent
    sys.path.insert(0, str(folder))
    module = _module(where, ".".join(names))
    if Path(str(module.__file__)).resolve() != path:
        _fail(where, f"another module has the name of this file, {module.__file__}: rename it")
    return module


def _script(path: Path) -> ModuleType:
    """The module of a file that no import finds, as mod_wsgi has them."""
    # Not the stem: a site.wsgi may import what is called site.
    name = re.sub(r"\W", "_", path.name)
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = ModuleType(name)
    module.__file__, module.__loader__ = str(path), loader
    sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _module(where: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not missing or not f"{name}.".startswith(f"{missing}."):
            raise  # the application's own import: its author needs the traceback
    parent, _, last = missing.rpartition(".")
    if hasattr(sys.modules.get(parent), last):
        _fail(where, f"{missing!r} is no module; write {parent}:{last}")
    _fail(where, f"there is no module {missing!r} in {os.getcwd()} or where else Python looks")


def _usual_name(where: str, module: ModuleType, factory: bool) -> str:
    """Of an application, or of a factory, where none is named."""
    place = where.partition(":")[0]
    wanted, others = (_FACTORIES, _NAMES) if factory else (_NAMES, _FACTORIES)
    none = f"it has no {wanted[0]!r} and no {wanted[1]!r}"
    for name in wanted:
        if hasattr(module, name):
            return name
    for name in others:
        if hasattr(module, name):
            if factory:
                _fail(where, f"{none}; if {name} is the application, leave out --factory")
            _fail(where, f"{none}; if {name} makes it, write {place}:{name}()")
    if hasattr(module, "__path__") and _known(f"{module.__name__}.wsgi"):
        _fail(where, f"{none}; its module wsgi may: write {module.__name__}.wsgi")
    _fail(where, f"{none}; another is {place}:NAME")


def _parsed(where: str, expression: str) -> tuple[list[str], _Call | None]:
    """The dotted name, and the arguments if it is called."""
    try:
        node = ast.parse(expression, mode="eval").body
        call = None
        if isinstance(node, ast.Call):
            arguments = [ast.literal_eval(argument) for argument in node.args]
            keywords = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
            node, call = node.func, (arguments, keywords)
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            raise ValueError
    except (SyntaxError, ValueError):
        _fail(where, f"{expression!r} is neither a name nor a call like create_app('debug')")
    return [node.id, *path], call


def _attribute(where: str, module: ModuleType, path: list[str]) -> Any:
    found: Any = module
    for name in path:
        if not hasattr(found, name):
            _fail(where, f"{getattr(found, '__name__', found)} has no {name!r}")
        found = getattr(found, name)
    return found


def _made(where: str, factory: Any, call: _Call) -> Any:
    if not callable(factory):
        _fail(where, f"{factory!r} cannot be called")
    arguments, keywords = call
    try:
        _bind(factory, *arguments, **keywords)
    except TypeError as error:
        _fail(where, f"{error}")
    return factory(*arguments, **keywords)


def _check_is_made(where: str, name: str, found: Callable[..., Any]) -> None:
    """What makes an application is often one that environ and start_response can be given to."""
    if isinstance(found, type):
        own_new = any("__new__" in vars(base) for base in found.__mro__[:-1])
        makes = not (own_new or hasattr(found, "__iter__"))
    else:
        makes = name in _FACTORIES or not _needs_arguments(found)
    if makes:
        _fail(where, f"it makes an application and is none itself; write {where}()")


def _needs_arguments(found: Callable[..., Any]) -> bool:
    """As applications do; one that is wrapped may take any number of them."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (ValueError, TypeError):
        return True
    return any(
        each.kind is each.VAR_POSITIONAL
        or (each.default is each.empty and each.kind is not each.VAR_KEYWORD)
        for each in parameters
    )


def _check_arguments(where: str, found: Callable[..., Any], may_be_factory: bool) -> None:
    """PEP 3333: an application is called with environ and start_response."""
    if any(inspect.iscoroutinefunction(each) for each in (found, type(found).__call__)):
        _fail(where, "it is asynchronous, as ASGI applications are; served are those of WSGI")
    try:
        _bind(found, {}, None)
    except TypeError:
        remedy = f"; if it makes one, write {where}()" if may_be_factory else ""
        _fail(where, f"it takes no environ and start_response, so it is no application{remedy}")


def _bind(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
    """Raises TypeError if `function` cannot be called with these, as far as it can be known."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return
    signature.bind(*arguments, **keywords)
