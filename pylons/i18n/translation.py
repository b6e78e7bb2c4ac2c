"""The functions of `pylons.i18n`. The catalog of a language is the file

    i18n/LANGUAGE/LC_MESSAGES/PACKAGE.mo

in the application's folder; Babel makes it. A request begins in the language that the
configuration names as `lang`, else untranslated; `set_lang` changes it for this request alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from gettext import NullTranslations
from typing import Any

from pylons._context import current_state
from pylons._proxy import translator as _translator
from pylons._translations import LanguageError, translations
from pylons.configuration import config

__all__ = [
    "N_",
    "LanguageError",
    "LazyString",
    "_",
    "add_fallback",
    "get_lang",
    "gettext",
    "gettext_noop",
    "lazify",
    "lazy_gettext",
    "lazy_ngettext",
    "lazy_ugettext",
    "lazy_ungettext",
    "ngettext",
    "set_lang",
    "translator",
    "ugettext",
    "ungettext",
]

translator: Any = _translator
"""The request's gettext translations (`gettext`, `ngettext`, also as `ugettext`, `ungettext`)."""


def _get_translator(
    lang: str | Sequence[str] | None,
    pylons_config: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> NullTranslations:
    """Translations into `lang`, later ones for what earlier ones lack. Raises LanguageError."""
    conf = config._current_obj() if pylons_config is None else pylons_config
    return translations(lang, conf, **kwargs)


def set_lang(
    lang: str | Sequence[str] | None, set_environ: bool = True, **kwargs: Any
) -> NullTranslations | None:
    """Translate into `lang` from now on, in this request; a list names fallbacks behind the first.

    None or an empty one is no translation. With `set_environ=False` the translations are returned
    and nothing changes. `kwargs` go to gettext.translation (`fallback=True`: untranslated if there
    is no catalog). Raises LanguageError if there is none.
    """
    found = _get_translator(lang, **kwargs)
    if not set_environ:
        return found
    current_state("i18n.set_lang").translator = found
    return None


def get_lang() -> list[str] | None:
    """The language in use with its fallbacks, as `set_lang` was told; None if there is none."""
    return getattr(translator, "pylons_lang", None)


def add_fallback(lang: str | Sequence[str], **kwargs: Any) -> None:
    """Take what the language in use lacks from `lang`, until `set_lang`. Raises LanguageError."""
    translator.add_fallback(_get_translator(lang, **kwargs))


def gettext_noop(value: str) -> str:
    """Mark a text for the catalog and return it as it is; it is translated where it is used."""
    return value


N_ = gettext_noop
"""`gettext_noop` by its short name."""


def gettext(value: str) -> str:
    """Translate a text."""
    return str(translator.gettext(value))


def ngettext(singular: str, plural: str, n: int) -> str:
    """Translate a text in the form that goes with the number `n`."""
    return str(translator.ngettext(singular, plural, n))


def ugettext(value: str) -> str:
    """`gettext`, by its name of Python 2."""
    return gettext(value)


def ungettext(singular: str, plural: str, n: int) -> str:
    """`ngettext`, by its name of Python 2."""
    return ngettext(singular, plural, n)


_ = ugettext
"""`ugettext` by its short name."""


class LazyString:
    """A text that is translated each time that it is used, into the language of that request."""

    def __init__(self, func: Callable[..., str], *args: Any, **kwargs: Any) -> None:
        self.func = func
        self.args = args
        self.kwargs = kwargs

    def eval(self) -> str:
        """The text in the language in use."""
        return self.func(*self.args, **self.kwargs)

    def __str__(self) -> str:
        return self.eval()

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(self.eval()))

    def __mod__(self, other: Any) -> str:
        return str(self.eval() % other)

    def format(self, *args: Any, **kwargs: Any) -> str:
        """The text with `args` and `kwargs` put in, as str.format does."""
        return self.eval().format(*args, **kwargs)


def lazify(func: Callable[..., str]) -> Callable[..., LazyString]:
    """A function that translates as `func` does, but late: for texts at the top of a module."""

    @wraps(func)
    def lazy(*args: Any, **kwargs: Any) -> LazyString:
        return LazyString(func, *args, **kwargs)

    lazy.__name__ = f"lazy_{func.__name__}"
    lazy.__doc__ = f"`{func.__name__}`, translated when it is used."
    return lazy


lazy_gettext = lazify(gettext)
"""`gettext`, translated when it is used."""
lazy_ugettext = lazify(ugettext)
"""`ugettext`, translated when it is used."""
lazy_ngettext = lazify(ngettext)
"""`ngettext`, translated when it is used."""
lazy_ungettext = lazify(ungettext)
"""`ungettext`, translated when it is used."""
