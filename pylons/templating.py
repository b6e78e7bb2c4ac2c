"""Rendering templates: Mako, and as extras Jinja2 and Genshi.

Each function takes the template's name, `extra_vars` for it, and cache options. It looks the
template up in an attribute of `app_globals` that `load_environment` has set, and returns a literal:
text that no other template escapes a second time.

With one of `cache_key`, `cache_type` (Beaker's `dbm`, `file`, `memory`, ...) and `cache_expire`
(seconds, or 'never') what was rendered is kept by Beaker, below the template's name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mako.lookup import TemplateLookup
from markupsafe import Markup

from pylons import _proxy, configuration
from pylons._context import current_state
from pylons._extras import extra
from pylons._kept import kept_value
from pylons.i18n import translation

__all__ = [
    "PYLONS_VARS",
    "cached_template",
    "literal",
    "make_lookup",
    "pylons_globals",
    "render_genshi",
    "render_jinja2",
    "render_mako",
    "render_mako_def",
]

Vars = Mapping[str, Any] | None
Expire = float | str | None

PYLONS_VARS = (
    *("c", "app_globals", "config", "h", "render", "request", "session", "translator"),
    *("ungettext", "_", "N_"),
)
"""The names of a template that 1.0 had in this list; `pylons_globals` has all there are."""

literal = Markup
"""Text that is HTML already, so that it is not escaped."""

_PROXIES = {
    "request": _proxy.request,
    "response": _proxy.response,
    "session": _proxy.session,
    "cache": _proxy.cache,
    "url": _proxy.url,
    "config": configuration.config,
    "translator": translation.translator,
    "_": translation.ugettext,
    "N_": translation.gettext_noop,
    "ungettext": translation.ungettext,
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


def cached_template(
    template_name: str,
    render_func: Callable[[], Any],
    ns_options: Sequence[str] = (),
    cache_key: str | None = None,
    cache_type: str | None = None,
    cache_expire: Expire = None,
    **kwargs: Any,
) -> Any:
    """What `render_func` returns, or returned for this name and key while it counts as fresh.

    Those of `kwargs` that `ns_options` names tell apart what the same template may look like.
    """
    if cache_key is None and cache_type is None and cache_expire is None:
        return render_func()
    namespace = template_name + "".join(str(kwargs.get(name)) for name in ns_options)
    cache = current_state("templating").cache.get_cache(namespace, type=cache_type or "dbm")
    expire = None if cache_expire == "never" else cache_expire
    return kept_value(cache, cache_key or "default", render_func, expiretime=expire)


def render_mako(
    template_name: str,
    extra_vars: Vars = None,
    cache_key: str | None = None,
    cache_type: str | None = None,
    cache_expire: Expire = None,
) -> Markup:
    """Render `template_name` of `app_globals.mako_lookup`.

    Raises mako.exceptions.TopLevelLookupException if there is no such template.
    """

    def render() -> Markup:
        names = _names(extra_vars)
        template = _source(names, "mako_lookup").get_template(template_name)
        return Markup(template.render_unicode(**names))

    return _cached(template_name, render, cache_key, cache_type, cache_expire)


def render_mako_def(
    template_name: str,
    def_name: str,
    cache_key: str | None = None,
    cache_type: str | None = None,
    cache_expire: Expire = None,
    **kwargs: Any,
) -> Markup:
    """Render the `<%def>` of that name; `kwargs` are its arguments.

    Raises mako.exceptions.TopLevelLookupException if there is no such template, AttributeError if
    there is no such def in it.
    """

    def render() -> Markup:
        names = _names(kwargs)
        template = _source(names, "mako_lookup").get_template(template_name)
        if not template.has_def(def_name):
            raise AttributeError(f"{template_name} has no <%def> of the name {def_name!r}")
        return Markup(template.get_def(def_name).render_unicode(**names))

    namespace = f"{template_name}#{def_name}"
    return _cached(namespace, render, cache_key, cache_type, cache_expire)


def render_jinja2(
    template_name: str,
    extra_vars: Vars = None,
    cache_key: str | None = None,
    cache_type: str | None = None,
    cache_expire: Expire = None,
) -> Markup:
    """Render `template_name` of `app_globals.jinja2_env`, a jinja2.Environment.

    Raises jinja2.TemplateNotFound if there is no such template.
    """

    def render() -> Markup:
        names = _names(extra_vars)
        environment = _source(names, "jinja2_env")
        missing = extra("jinja2", "pylons.templating.render_jinja2").TemplateNotFound
        try:
            template = environment.get_template(template_name)
        except missing as error:
            # Its own message is the bare name.
            told = f"app_globals.jinja2_env has no template {error.name!r}"
            raise missing(error.name, told) from None
        return Markup(template.render(**names))

    return _cached(template_name, render, cache_key, cache_type, cache_expire)


def render_genshi(
    template_name: str,
    extra_vars: Vars = None,
    cache_key: str | None = None,
    cache_type: str | None = None,
    cache_expire: Expire = None,
    method: str = "xhtml",
) -> Markup:
    """Render `template_name` of `app_globals.genshi_loader`, a genshi.template.TemplateLoader.

    `method` is that of Genshi's serializer: 'xhtml', 'html', 'xml' or 'text'. Raises
    genshi.template.TemplateNotFound if there is no such template in the folders of the loader.
    """

    def render() -> Markup:
        names = _names(extra_vars)
        loader = _source(names, "genshi_loader")
        if _leaves_its_folder(template_name):
            missing = extra("genshi.template", "pylons.templating.render_genshi").TemplateNotFound
            raise missing(template_name, loader.search_path)
        template = loader.load(template_name)
        return Markup(template.generate(**names).render(method=method, encoding=None))

    return _cached(template_name + method, render, cache_key, cache_type, cache_expire)


def _leaves_its_folder(name: str) -> bool:
    """Whether Genshi, other than Mako and Jinja2, would look for `name` outside of its folders."""
    return os.path.isabs(name) or os.path.normpath(name).split(os.sep)[0] == os.pardir


def _names(extra_vars: Vars) -> dict[str, Any]:
    """The template's names; those of pylons win, as they did in 1.0."""
    return {**(extra_vars or {}), **pylons_globals()}


_MAKERS = {
    "mako_lookup": "pylons.templating.make_lookup(directories)",
    "jinja2_env": "jinja2.Environment(...), of Jinja2",
    "genshi_loader": "genshi.template.TemplateLoader(directories), of Genshi",
}


def _source(names: Mapping[str, Any], attribute: str) -> Any:
    source = getattr(names["app_globals"], attribute, None)
    if source is None:
        raise AttributeError(
            f"app_globals has no {attribute}: load_environment has to set it,"
            f" to {_MAKERS[attribute]}"
        )
    return source


def _cached(
    namespace: str,
    render: Callable[[], Markup],
    cache_key: str | None,
    cache_type: str | None,
    cache_expire: Expire,
) -> Markup:
    found: Markup = cached_template(
        namespace,
        render,
        cache_key=cache_key,
        cache_type=cache_type,
        cache_expire=cache_expire,
    )
    return found
