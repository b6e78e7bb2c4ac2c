"""Rendering with Mako, HTML-escaped by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mako.lookup import TemplateLookup

from pylons import _proxy, configuration
from pylons._context import current_state

__all__ = ["make_lookup", "pylons_globals", "render_mako"]

_PROXIES = {
    "request": _proxy.request,
    "response": _proxy.response,
    "session": _proxy.session,
    "cache": _proxy.cache,
    "url": _proxy.url,
    "config": configuration.config,
}


def make_lookup(directories: Sequence[str], **options: Any) -> TemplateLookup:
    """A Mako lookup for `app_globals.mako_lookup` whose `${...}` are HTML-escaped.

    In a template `${value | n}` leaves one out of it. `options` go to mako.lookup.TemplateLookup.
    """
    settings: dict[str, Any] = {"input_encoding": "utf-8", "default_filters": ["h"], **options}
    return TemplateLookup(directories=list(directories), **settings)


def pylons_globals() -> dict[str, Any]:
    """The names that every template has: those of `pylons`, and `h`, the helpers module."""
    state = current_state("templating.pylons_globals")
    context = state.tmpl_context
    return {
        **_PROXIES,
        "c": context,
        "tmpl_context": context,
        "h": state.config["pylons.h"],
        "app_globals": state.config["pylons.app_globals"],
    }


def render_mako(template_name: str, extra_vars: Mapping[str, Any] | None = None) -> str:
    """Render `template_name` of `app_globals.mako_lookup`; `extra_vars` come before the globals.

    Raises mako.exceptions.TopLevelLookupException if there is no such template.
    """
    names = pylons_globals()
    template = names["app_globals"].mako_lookup.get_template(template_name)
    names.update(extra_vars or {})
    return str(template.render_unicode(**names))
