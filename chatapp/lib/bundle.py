"""The page's modules as one script: a request each would cost a slow line a second."""

import re
from pathlib import Path

__all__ = ["bundle"]

# The forms that the page's modules keep to; whatever else imports or exports is refused.
_IMPORT = re.compile(r"^import \{ ([\w, ]+) \} from '\./(\w+)\.js';\n", re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.M)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.M)
_COMMENT = re.compile(r"^ *(?://.*|/\*\*(?s:.*?)\*/)\n", re.M)  # on lines of its own
_ENDING = re.compile(r"^([^'\"`/\n]*[^'\"`/\s]) +//.*", re.M)  # and behind what has no text in it


def bundle(folder: Path, name: str, after: str = "") -> bytes:
    """The module `name` and all that it comes to import, each in a function of its own.

    `after`: the module whose bundle, `page.js`, the browser has before this one: what is in that is
    taken from there. Comments are left out, but for those behind code that has a text in it: they
    are a third of what would be sent. Raises ValueError for a module that imports or exports in a
    way that this does not know, or that comes to import itself.
    """
    before: dict[str, str] = {}
    if after:
        _add(folder, after, before, ())
    done = dict(before)
    _add(folder, name, done, ())
    own = "\n".join(text for module, text in done.items() if module not in before)
    taken = [module for module in before if f" = {module}_js;\n" in own]
    shared = [module for module in done if module not in before]
    head = f"import {{ {_listed(taken)} }} from './page.js';\n" if taken else ""
    return f"{head}{own}export {{ {_listed(shared)} }};\n".encode()


def _listed(modules: list[str]) -> str:
    return ", ".join(f"{module}_js" for module in modules)


def _add(folder: Path, name: str, done: dict[str, str], importers: tuple[str, ...]) -> None:
    """Add the module `name` to `done`, after those that it imports."""
    if name in importers:
        raise ValueError(f"{name}.js comes to import itself: {' -> '.join([*importers, name])}")
    if name in done:
        return
    source = (folder / f"{name}.js").read_text("utf-8")
    for _, imported in _IMPORT.findall(source):
        _add(folder, imported, done, (*importers, name))
    exported = ", ".join(_EXPORT.findall(source))
    body = _EXPORT.sub("", _IMPORT.sub(_taken, _without_comments(source)))
    if other := _OTHER.search(body):
        raise ValueError(f"{name}.js: {other[0]!r} is not a form that a bundle knows")
    done[name] = f"const {name}_js = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _without_comments(source: str) -> str:
    return _ENDING.sub(r"\1", _COMMENT.sub("", source))


def _taken(found: re.Match[str]) -> str:
    return f"const {{ {found[1].replace(' as ', ': ')} }} = {found[2]}_js;\n"
