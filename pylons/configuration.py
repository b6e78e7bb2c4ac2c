"""The configuration of an application: the ini file's options and the places of its parts."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from paste.deploy.converters import asbool as asbool

from pylons._config import PylonsConfig, loaded, request_defaults, response_defaults
from pylons._context import OutsideRequest, Pushed, current
from pylons._namespaces import STACK_METHODS
from pylons._proxy import Proxy, proxy

__all__ = ["PylonsConfig", "config", "pylons_config", "request_defaults", "response_defaults"]

# What push_process_config has put before the configuration that was loaded last.
_of_process: Final[list[Any]] = []


class _ConfigProxy(Proxy):
    """With the methods of Paste's DispatchingConfig; a thread's configuration is a context's."""

    __slots__ = ()
    _own: ClassVar[frozenset[str]] = STACK_METHODS | {
        "current",
        "current_conf",
        "pop_process_config",
        "pop_thread_config",
        "push_process_config",
        "push_thread_config",
    }
    current = current_conf = Proxy._current_obj
    push_thread_config = Proxy._push_object
    pop_thread_config = Proxy._pop_object

    def push_process_config(self, conf: Any) -> None:
        """Let `conf` be the configuration of the process, outside requests."""
        _of_process.append(conf)

    def pop_process_config(self, conf: Any = None) -> None:
        """Undo `push_process_config`. Raises AssertionError if that was not of `conf`."""
        if not _of_process or (conf is not None and _of_process[-1] is not conf):
            raise AssertionError("pylons.config: that was not pushed last for the process")
        _of_process.pop()


def _find_config() -> Any:
    state: Any = current.get(None)
    if state is not None and (type(state) is not Pushed or state.base is not None):
        return state.config
    return _of_process[-1] if _of_process else loaded[0]


def _find_app_globals() -> Any:
    found = _find_config()["pylons.app_globals"]
    if found is None:
        raise OutsideRequest("config['pylons.app_globals'] is not set: load_environment sets it")
    return found


pylons_config: Final = loaded[0]
"""What `config` stands for until an application has called `init_app`: the defaults."""
# Stands for the application's configuration; outside requests for that of the last one loaded.
config = proxy("config", _find_config, _ConfigProxy)
app_globals = proxy("app_globals", _find_app_globals)
"""Stands for `config['pylons.app_globals']`."""
