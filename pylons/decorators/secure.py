"""Decorators that keep strangers' forms and open connections out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pylons._context import current_state
from pylons.controllers.util import abort, redirect
from pylons.decorators.util import get_pylons as get_pylons
from pylons.pylonslib.secure_form import authentication_token, token_key

__all__ = ["authenticate_form", "authenticated_form", "csrf_detected_message", "https"]

Action = Callable[..., Any]

log = logging.getLogger(__name__)

csrf_detected_message = (
    "Cross-site request forgery detected, request denied: this form was not sent by a page of this"
    " site, or that page is too old. Load the page with the form again, and send it."
)
"""What a client reads whose form `authenticate_form` refuses."""


def authenticated_form(params: Mapping[str, Any]) -> bool:
    """Whether `params`, those of a request, have the session's token."""
    sent = params.get(token_key)
    return isinstance(sent, str) and compare_digest(sent.encode(), authentication_token().encode())


def authenticate_form(action: Action) -> Action:
    """Let the action run only for a form of `pylons.pylonslib.secure_form`; else answer 403.

    The token is taken out of the request's fields before the action looks at them.
    """

    @wraps(action)
    def call(*args: Any, **kwargs: Any) -> Any:
        request = current_state("decorators.secure.authenticate_form").request
        if not authenticated_form(request.params):
            log.warning(
                "cross-site request forgery detected, request denied: %s %s, from %s",
                request.method,
                request.path,
                request.remote_addr,
            )
            abort(403, detail=csrf_detected_message)
        for fields in (request.POST, request.GET):
            if token_key in fields:
                del fields[token_key]
        return action(*args, **kwargs)

    return call


def https(url_or_callable: str | Callable[[], str] | None = None) -> Callable[[Action], Action]:
    """Send a client that is not on HTTPS there: to the same URL, to another, or to what is called.

    Only a GET or HEAD can be sent elsewhere: another method is answered 405.
    """

    def decorate(action: Action) -> Action:
        @wraps(action)
        def call(*args: Any, **kwargs: Any) -> Any:
            request = current_state("decorators.secure.https").request
            if request.scheme == "https":
                return action(*args, **kwargs)
            if request.method not in ("GET", "HEAD"):
                abort(405, headers=[("Allow", "GET")])
            target = url_or_callable() if callable(url_or_callable) else url_or_callable
            if target is None:
                redirect(f"https{request.url.removeprefix(request.scheme)}")
            parts = urlsplit(str(target))
            redirect(urlunsplit(("https", parts.netloc or request.host, *parts[2:])))

        return call

    return decorate
