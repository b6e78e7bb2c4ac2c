"""Watches the files that a program is made of: its modules, templates and settings.

They are looked at by their times, every half second, or less often where that takes long: no file
system and no editor keeps that from working.
"""

import logging
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["Changes"]

log = logging.getLogger(__name__)

_PAUSE = 0.5
# Seconds in which nothing more changes, so that what is written together is one change.
_SETTLED = 0.1
# Of its time, the part that looking takes at most.
_SHARE = 0.1
# Seconds from which on looking takes too long to be left unsaid.
_LONG = 1.0
_SUFFIXES = (
    ".py", ".ini", ".toml", ".cfg", ".env", ".yaml", ".yml",
    ".html", ".jinja", ".jinja2", ".j2", ".mako", ".pt", ".tmpl",
)  # fmt: skip
_LIBRARIES = tuple(
    {sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
)
_NOT_ENTERED = ("__pycache__", "node_modules", "site-packages")

_Seen = dict[str, tuple[int, int]]


class Changes:
    """From `start` on, `changed` is called in a thread after each change of a file.

    Watched are what `folders` have of code, templates and settings, at any depth, the modules that
    are loaded from elsewhere but libraries, and `files`.
    """

    def __init__(
        self,
        folders: Iterable[str],
        files: Iterable[str],
        changed: Callable[[], Any],
        pause: float = _PAUSE,
    ) -> None:
        self._folders = [os.path.abspath(folder) for folder in folders]
        self._files = [os.path.abspath(path) for path in files]
        self._changed = changed
        self._pause = pause
        self._happened = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """What is there now is what later states are compared with."""
        began = time.perf_counter()
        seen = self._look()
        took = time.perf_counter() - began
        if took > _LONG:
            where = ", ".join(self._folders)
            log.warning("to look for changes below %s takes %.1f s: there is much", where, took)
        self._thread = threading.Thread(target=self._watch, args=(seen,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when something has changed since the start."""
        self._happened.wait()

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, seen: _Seen) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            began = time.perf_counter()
            now = self._look()
            pause = max(self._pause, (time.perf_counter() - began) / _SHARE)
            paths = self._different(seen, now)
            if paths:
                now = self._settled(now)
                log.info("%s changed", ", ".join(map(os.path.relpath, paths)))
                self._happened.set()
                self._changed()
            seen = now

    def _different(self, seen: _Seen, now: _Seen) -> list[str]:
        """The paths that changed, came or went; a module that is loaded was there before."""
        return sorted(
            path
            for path in seen.keys() | now.keys()
            if seen.get(path) != now.get(path) and (path in seen or self._is_below(path))
        )

    def _settled(self, now: _Seen) -> _Seen:
        while True:
            time.sleep(min(self._pause, _SETTLED))
            before, now = now, self._look()
            if before == now:
                return now

    def _look(self) -> _Seen:
        seen = {}
        below = (path for folder in self._folders for path in _below(folder))
        for path in {*self._files, *_modules(), *below}:
            try:
                status = os.stat(path)
            except OSError:
                continue
            seen[path] = status.st_mtime_ns, status.st_size
        return seen

    def _is_below(self, path: str) -> bool:
        return any(path.startswith(os.path.join(folder, "")) for folder in self._folders)


def _modules() -> Iterator[str]:
    """The files of modules that are loaded and in no library."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(path, str) and path.endswith(".py") and not path.startswith(_LIBRARIES):
            yield os.path.abspath(path)


def _below(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _NOT_ENTERED
            and not os.path.exists(os.path.join(place, name, "pyvenv.cfg"))
        ]
        for name in names:
            # No module has a dot in its name: Mako writes index.mako.py for itself.
            if name.endswith(_SUFFIXES) and not (name.endswith(".py") and "." in name[:-3]):
                yield os.path.join(place, name)
