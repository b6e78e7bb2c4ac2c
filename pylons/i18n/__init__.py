"""Translation of an application's texts into the language of the request, by gettext."""

from pylons.i18n.translation import (
    N_,
    LanguageError,
    _,
    add_fallback,
    get_lang,
    gettext,
    gettext_noop,
    lazy_gettext,
    lazy_ngettext,
    lazy_ugettext,
    lazy_ungettext,
    ngettext,
    set_lang,
    ugettext,
    ungettext,
)

__all__ = [
    "N_",
    "LanguageError",
    "_",
    "add_fallback",
    "get_lang",
    "gettext",
    "gettext_noop",
    "lazy_gettext",
    "lazy_ngettext",
    "lazy_ugettext",
    "lazy_ungettext",
    "ngettext",
    "set_lang",
    "ugettext",
    "ungettext",
]
