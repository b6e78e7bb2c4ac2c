"""What is configured of one application, and which was loaded last."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from pylons._http import Response
from pylons._options import check_beaker, flag

__all__ = ["PylonsConfig", "loaded", "request_defaults", "response_defaults"]

request_defaults: Final[dict[str, Any]] = {
    "charset": "utf-8",
    "errors": "replace",
    "decode_param_names": False,
    "language": "en-us",
}
"""What `pylons.request_options` is unless the application says otherwise."""

response_defaults: Final[dict[str, Any]] = {
    "content_type": "text/html",
    "charset": "utf-8",
    "errors": "strict",
    "headers": {"Cache-Control": "no-cache", "Pragma": "no-cache"},
}
"""What `pylons.response_options` is unless the application says otherwise."""

_DEFAULTS: Final[dict[str, Any]] = {
    "debug": False,
    "pylons.package": None,
    "pylons.paths": {"root": None, "controllers": None, "templates": [], "static_files": None},
    "pylons.environ_config": {"session": "beaker.session", "cache": "beaker.cache"},
    "pylons.app_globals": None,
    "pylons.h": None,
    "pylons.request_options": request_defaults,
    "pylons.response_options": response_defaults,
    "pylons.strict_tmpl_context": True,
    "pylons.tmpl_context_attach_args": False,
}

# Arguments of ErrorHandler, the option of the ini for each, and its default.
_ERRORWARE = (
    ("error_email", ("email_to",), None),
    ("error_log", ("error_log",), None),
    ("smtp_server", ("smtp_server",), "localhost"),
    ("error_subject_prefix", ("error_subject_prefix",), "WebApp Error: "),
    ("from_address", ("from_address", "error_email_from"), "pylons@yourapp.com"),
    ("error_message", ("error_message",), "An internal server error occurred"),
)


class PylonsConfig(dict[str, Any]):
    """A dict of options, filled by `init_app`.

    Keys of its own: `debug` (bool), `global_conf`, `app_conf` (as they were handed over),
    `pylons.package` (name), `pylons.paths` (dict of directories), `pylons.cache_dir`,
    `pylons.environ_config` (the keys of environ with the session and the cache),
    `pylons.request_options`, `pylons.response_options` (`content_type`, `charset`, `headers`),
    `pylons.strict_tmpl_context`, `pylons.tmpl_context_attach_args`, `pylons.errorware` (arguments
    of ErrorHandler). The application's environment adds `routes.map`, `pylons.app_globals` and
    `pylons.h` (the helpers module).
    """

    defaults: Mapping[str, Any] = _DEFAULTS

    def init_app(
        self,
        global_conf: Mapping[str, Any],
        app_conf: Mapping[str, Any],
        package: str | None = None,
        paths: Mapping[str, Any] | None = None,
    ) -> None:
        """Take over `global_conf` ([DEFAULT]), then `app_conf` ([app:main]), which wins.

        `package` is the application's importable name; `paths` has `root`, `controllers`,
        `static_files` (directories) and `templates` (list of directories). Below `cache_dir`, if
        there is one, Beaker keeps sessions and caches, unless the ini names their folders. From now
        on `pylons.config` stands for this configuration outside of requests. Raises OptionError, a
        ValueError, for a value that an option cannot have.
        """
        conf = {**global_conf, **app_conf, "app_conf": app_conf, "global_conf": global_conf}
        conf.update(self.pop("environment_load", {}))
        if paths:
            conf["pylons.paths"] = dict(paths)
        conf["pylons.package"] = package
        conf["debug"] = flag(conf, "debug")
        for key, value in copy.deepcopy(dict(self.defaults)).items():
            conf.setdefault(key, value)
        for key in ("pylons.strict_tmpl_context", "pylons.tmpl_context_attach_args"):
            conf[key] = flag(conf, key)
        conf["pylons.errorware"] = _errorware(conf)
        cache_dir = conf["pylons.cache_dir"] = conf.pop("cache_dir", None)
        if cache_dir is not None:
            for kind, folder in (("session", "sessions"), ("cache", "cache")):
                # Beaker takes options with its name before them and without.
                if f"{kind}.data_dir" not in conf:
                    conf.setdefault(f"beaker.{kind}.data_dir", os.path.join(cache_dir, folder))
        check_beaker(conf)
        self.update(conf)
        loaded[:] = [self]

    @property
    def response_options(self) -> Mapping[str, Any]:
        """What answers have by default: `content_type`, `charset`, `headers`."""
        options: Mapping[str, Any] = self["pylons.response_options"]
        return options

    @cached_property
    def default_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers of a response that no action has touched; settled by the first request."""
        options = self.response_options
        content_type = f"{options['content_type']}; charset={options['charset']}"
        return ("Content-Type", content_type), *options["headers"].items()

    @cached_property
    def default_response(self) -> Response:
        """What `pylons.response` begins as; settled by the first request."""
        return Response.from_options(self.response_options)


def _errorware(conf: Mapping[str, Any]) -> dict[str, Any]:
    errorware: dict[str, Any] = {"debug": conf["debug"]}
    if not conf["debug"]:
        for argument, options, default in _ERRORWARE:
            given = [conf[option] for option in options if option in conf]
            errorware[argument] = given[0] if given else default
    return errorware


loaded: list[PylonsConfig] = [PylonsConfig(copy.deepcopy(_DEFAULTS))]
"""The configuration whose `init_app` was called last; before that one of defaults."""
