"""Forms that only a page of the application can send: each carries a token of the session.

`pylons.decorators.secure.authenticate_form` refuses a form without it.
"""

from __future__ import annotations

import secrets
from typing import Any

from markupsafe import Markup

from pylons._proxy import session

__all__ = ["auth_token_hidden_field", "authentication_token", "secure_form", "token_key"]

token_key = "_authentication_token"
"""The form's field, and the key of the session, that have the token."""

_FIELD = Markup(
    '<div style="display: none;"><input id="{0}" name="{0}" type="hidden" value="{1}" /></div>'
)
_METHOD = Markup(
    '<div style="display:none"><input name="_method" type="hidden" value="{}" /></div>'
)


def authentication_token() -> str:
    """The session's token, made (128 random bits) and saved when it is first asked for."""
    token = session.get(token_key)
    if token is None:
        token = session[token_key] = secrets.token_hex(16)
        session.save()
    return str(token)


def auth_token_hidden_field() -> Markup:
    """The hidden field with the token, for a form that is written by hand."""
    return _FIELD.format(token_key, authentication_token())


def secure_form(url: str, method: str = "POST", multipart: bool = False, **attrs: Any) -> Markup:
    """The start tag of a form to `url`, with the hidden field; the template writes `</form>`.

    A method that is neither GET nor POST is sent as POST with a field `_method`. `attrs` are
    attributes of the tag; `class_` and the like lose their underscore.
    """
    simulated = method.upper() not in ("GET", "POST")
    values = {"action": url, "method": "post" if simulated else method, **attrs}
    if multipart:
        values["enctype"] = "multipart/form-data"
    pairs = [(name.rstrip("_"), value) for name, value in sorted(values.items())]
    tag = Markup("").join(Markup(' {}="{}"').format(*pair) for pair in pairs)
    other = _METHOD.format(method) if simulated else ""
    return Markup("<form{}>{}\n{}").format(tag, other, auth_token_hidden_field())
