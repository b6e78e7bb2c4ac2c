"""The configuration of an application: the ini file's options and the places of its parts."""

from __future__ import annotations

from typing import Any

from pylons._config import PylonsConfig, loaded
from pylons._context import OutsideRequest, current
from pylons._proxy import proxy

__all__ = ["PylonsConfig", "config"]


def _find_config() -> PylonsConfig:
    state = current.get(None)
    if state is not None:
        return state.config
    if not loaded:
        raise OutsideRequest("pylons.config is empty: no application has called init_app yet")
    return loaded[0]


def _find_app_globals() -> Any:
    found = _find_config()["pylons.app_globals"]
    if found is None:
        raise OutsideRequest("config['pylons.app_globals'] is not set: load_environment sets it")
    return found


# Stands for the application's configuration; outside requests for that of the last one loaded.
config = proxy("config", _find_config)
app_globals = proxy("app_globals", _find_app_globals)
"""Stands for `config['pylons.app_globals']`."""
