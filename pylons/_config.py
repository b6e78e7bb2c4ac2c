"""What is configured of one application, and which was loaded last."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from paste.deploy.converters import asbool

from pylons._http import Response

__all__ = ["PylonsConfig", "loaded"]


class PylonsConfig(dict[str, Any]):
    """A dict of options, filled by `init_app`.

    Keys of its own: `debug` (bool), `pylons.package` (name), `pylons.paths` (dict of directories),
    `pylons.response_options` (dict: `content_type`, `charset`, `headers`), `pylons.errorware`
    (arguments of ErrorHandler). The application's environment adds `routes.map`,
    `pylons.app_globals` and `pylons.h` (the helpers module).
    """

    def init_app(
        self,
        global_conf: Mapping[str, Any],
        app_conf: Mapping[str, Any],
        package: str,
        paths: Mapping[str, Any],
    ) -> None:
        """Take over `global_conf` ([DEFAULT]), then `app_conf` ([app:main]), which wins.

        `package` is the application's importable name; `paths` has `root`, `controllers`,
        `static_files` (directories) and `templates` (list of directories). From now on
        `pylons.config` stands for this configuration outside of requests.
        """
        self.update(global_conf)
        self.update(app_conf)
        self["debug"] = asbool(self.get("debug", False))
        self["pylons.package"] = package
        self["pylons.paths"] = dict(paths)
        self["pylons.errorware"] = {"debug": self["debug"]}
        self["pylons.response_options"] = {
            "content_type": "text/html",
            "charset": "utf-8",
            "headers": {"Cache-Control": "no-cache"},
        }
        self.setdefault("pylons.h", None)
        self.setdefault("pylons.app_globals", None)
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


loaded: list[PylonsConfig] = []
"""The configuration whose `init_app` was called last, or none."""
