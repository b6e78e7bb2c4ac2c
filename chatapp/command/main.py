"""The program `chatapp`: what its verbs do, or one line where a module is missing for that."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires

__all__ = ["main"]

_OURS = ("ChatApp", "cogen", "Pylons")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the verb in `arguments` says; None: the command line's.

    Ends the program, with one line and status 1, if it cannot.
    """
    try:
        # Only here: what it imports is what may be missing.
        from chatapp.command.verbs import run

        run(arguments)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.startswith("chatapp"):
            raise
        line = f"chatapp: the module {missing} is not installed: {_remedy(missing)}"
        raise SystemExit(line) from None


def _remedy(missing: str) -> str:
    """What to install where there is no module of that name, which one of ours imports."""
    libraries = dict(_required())
    parts = missing.split(".")
    for count in range(len(parts), 0, -1):  # paste.deploy is in PasteDeploy
        requirement = libraries.get(_plain("".join(parts[:count])))
        if requirement is not None:
            return f"pip install '{requirement}'"
    return "install the chat with all that it requires, as `pip install *.whl` does"


def _required() -> Iterator[tuple[str, str]]:
    """What our distributions require of others: by plain name, with the versions."""
    for ours in _OURS:
        with suppress(PackageNotFoundError):
            for line in requires(ours) or ():
                name = re.split(r"[^\w.-]", line)[0]
                if name not in _OURS:
                    yield _plain(name), line.partition(";")[0].strip()


def _plain(name: str) -> str:
    return re.sub("[-_.]", "", name).lower()
