"""An application's catalogs, read by the standard library's gettext."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping, Sequence
from gettext import GNUTranslations, NullTranslations, translation
from typing import Any, Final

__all__ = ["LanguageError", "translations"]

# A language tag (RFC 5646) or the name of a locale: never a path, for clients choose it.
_LANGUAGE: Final = re.compile(
    r"[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*(\.[A-Za-z0-9-]+)?(@[A-Za-z0-9]+)?"
)


class LanguageError(Exception):
    """There is no catalog of that language, or it cannot be read."""


class _Untranslated(NullTranslations):
    """gettext's, by the names that Python 2 had too."""

    ugettext = NullTranslations.gettext
    ungettext = NullTranslations.ngettext


class _Translated(GNUTranslations):
    ugettext = GNUTranslations.gettext
    ungettext = GNUTranslations.ngettext


def translations(
    lang: str | Sequence[str] | None, conf: Mapping[str, Any], **kwargs: Any
) -> NullTranslations:
    """Those into `lang`, later ones for what earlier ones lack; none if it is empty.

    `conf` is the application's configuration, `kwargs` go to gettext.translation. Raises
    LanguageError.
    """
    if not lang:
        return _Untranslated()
    languages = [lang] if isinstance(lang, str) else list(lang)
    for each in languages:
        if not _LANGUAGE.fullmatch(each):
            raise LanguageError(f"{each!r} is no language: it is written like 'de' or 'pt_BR'")
    domain = conf["pylons.package"]
    folder = os.path.join(conf["pylons.paths"]["root"], "i18n")
    kwargs.setdefault("class_", _Translated)
    names = [each.replace("-", "_") for each in languages]
    try:
        found: Any = translation(domain, folder, names, **kwargs)
    except (OSError, struct.error, ValueError, LookupError) as error:
        path = os.path.join(folder, names[0], "LC_MESSAGES", f"{domain}.mo")
        raise LanguageError(
            f"no catalog of {', '.join(languages)}: {path} is not there or cannot be read"
            f" (pybabel compile makes it): {error}"
        ) from None
    found.pylons_lang = languages
    return found  # type: ignore[no-any-return]
