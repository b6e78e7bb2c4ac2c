"""`validate`: FormEncode checks what a form sent, and shows the form again with its errors."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from types import GeneratorType
from typing import Any

import webob
from webob.exc import HTTPBadRequest

from pylons._context import current_state
from pylons._extras import extra
from pylons.i18n.translation import ugettext
from pylons.pylonslib.secure_form import authentication_token, token_key

__all__ = ["PylonsFormEncodeState", "pylons_formencode_gettext", "validate"]

Action = Callable[..., Any]
_WANTED_BY = "pylons.decorators.validate"
_LENGTH = "--repetitions"
_LONGEST = 10_000


def pylons_formencode_gettext(value: str) -> str:
    """Translate `value` by the application's catalog, else by that of FormEncode."""
    translated = ugettext(value)
    if translated == value:
        return str(extra("formencode.api", _WANTED_BY)._stdtrans(value))
    return translated


class PylonsFormEncodeState:
    """The `state` that validators get by default: its `_` translates their messages."""

    _ = staticmethod(pylons_formencode_gettext)


def validate(
    schema: Any = None,
    validators: Mapping[str, Any] | None = None,
    form: str | None = None,
    variable_decode: bool = False,
    dict_char: str = ".",
    list_char: str = "-",
    post_only: bool = True,
    state: Any = None,
    on_get: bool = False,
    **htmlfill_kwargs: Any,
) -> Callable[[Action], Action]:
    """Check the form before the action runs, which finds what was sent in `self.form_result`.

    If `schema` (a formencode.Schema) or one of `validators` (by the names of fields) refuses it,
    the request becomes a GET and the action `form` is called instead, by the values of the route.
    Its HTML is filled by FormEncode's htmlfill (which gets `htmlfill_kwargs`) with what was sent
    and the errors, which are also `tmpl_context.form_errors`. Without `form` the action itself runs
    and has to look at those.

    Only what is not a GET or HEAD is checked, unless `on_get`; and only its body, unless
    `post_only` is false: then the query too. `variable_decode` lets FormEncode make dicts and lists
    of fields named with `dict_char` and `list_char`.

    Fields that make no dicts and lists, or lists of more than 10000 values, are a 400.

    Raises ImportError when FormEncode is not installed, TypeError when `form` is a streaming
    action, AttributeError when there is none of that name.
    """
    extra("formencode", _WANTED_BY)
    chars = (dict_char, list_char)

    def decorate(action: Action) -> Action:
        @wraps(action)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            current = current_state("decorators.validate")
            request = current.request
            if not on_get and request.method in ("GET", "HEAD"):
                return action(self, *args, **kwargs)
            sent = (request.POST if post_only else request.params).mixed()
            fields = _decoded(sent, chars if variable_decode else None)
            known = PylonsFormEncodeState if state is None else state
            errors = _schema_errors(self, schema, fields, known, (variable_decode, *chars))
            errors.update(_field_errors(self, validators or {}, fields, known))
            if not errors:
                return action(self, *args, **kwargs)
            request.method = "GET"
            vars(current.tmpl_context)["form_errors"] = errors
            if form is None:
                return action(self, *args, **kwargs)
            shown = _call_form(self, form)
            return _filled(form, shown, sent, errors, htmlfill_kwargs)

        return call

    return decorate


def _decoded(sent: Mapping[str, Any], chars: tuple[str, str] | None) -> Any:
    """The fields, with `chars` as dicts and lists. Raises HTTPBadRequest for names that make none.

    The field `NAME--repetitions` has the length of a list, also for FormEncode's NestedVariables:
    FormEncode would make it, however long it is.
    """
    decode = extra("formencode.variabledecode", _WANTED_BY).variable_decode
    try:
        lengths = [int(value) for name, value in sent.items() if _LENGTH in str(name)]
        if sum(max(0, length) for length in lengths) > _LONGEST:
            raise ValueError(f"lists of more than {_LONGEST} values")
        return sent if chars is None else decode(sent, *chars)
    except Exception as error:  # noqa: BLE001 - a parser, and what strangers send
        raise HTTPBadRequest(detail=f"The fields of this form cannot be read: {error}") from None


def _schema_errors(
    controller: Any, schema: Any, fields: Any, state: Any, unpacking: tuple[Any, ...]
) -> dict[str, Any]:
    """Set `form_result`, or return what the schema refuses by the names of fields."""
    if schema is None:
        return {}
    try:
        controller.form_result = schema.to_python(fields, state)
    except extra("formencode", _WANTED_BY).Invalid as error:
        errors = error.unpack_errors(*unpacking)
        _cut_loose(error)
        # An error of the form as a whole is a bare text.
        return dict(errors) if isinstance(errors, Mapping) else {"form": errors}
    return {}


def _field_errors(
    controller: Any, validators: Mapping[str, Any], fields: Any, state: Any
) -> dict[str, Any]:
    """Add to `form_result`, and return what the validators refuse by the names of fields."""
    invalid = extra("formencode", _WANTED_BY).Invalid
    errors: dict[str, Any] = {}
    if validators and not hasattr(controller, "form_result"):
        controller.form_result = {}
    for name, validator in validators.items():
        try:
            controller.form_result[name] = validator.to_python(fields.get(name), state)
        except invalid as error:
            errors[name] = error
            _cut_loose(error)
    return errors


def _cut_loose(error: Any) -> None:
    """FormEncode's frames hold the errors that hold the frames: let go of these."""
    inner = error.error_dict.values() if error.error_dict else error.error_list or ()
    for each in inner:
        if each is not None and hasattr(each, "error_dict"):
            _cut_loose(each)
    traceback.clear_frames(error.__traceback__)
    error.__traceback__ = error.__context__ = None


def _call_form(controller: Any, form: str) -> Any:
    """What the action `form` returns for this request, as if the route had named it."""
    if not callable(getattr(controller, form, None)):
        raise AttributeError(f"validate: {type(controller).__name__} has no action {form!r}")
    current_state("decorators.validate").environ["pylons.routes_dict"]["action"] = form
    return controller._dispatch_call()


def _filled(
    form: str, shown: Any, sent: Any, errors: dict[str, Any], options: dict[str, Any]
) -> Any:
    """The form's page with what was sent and the errors; another answer than a page as it is."""
    if isinstance(shown, GeneratorType):
        shown.close()
        raise TypeError(f"validate: {form!r} is a streaming action: it has to return the page")
    response = current_state("decorators.validate").response
    if shown is None:
        shown = response.body
        response.body = b""
        response.content_length = None
    if isinstance(shown, webob.Response):
        return shown
    page = shown.decode(response.charset or "utf-8") if isinstance(shown, bytes) else str(shown)
    if token_key in page:
        # authenticate_form has taken it out of what was sent, and htmlfill empties what was not.
        sent = {**sent, token_key: authentication_token()}
    settings = {"encoding": response.charset or "utf-8", **options}
    return extra("formencode.htmlfill", _WANTED_BY).render(page, sent, errors, **settings)
