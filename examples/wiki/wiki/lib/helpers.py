"""Helpers: templates have this module as `h`."""

import re

from markupsafe import Markup, escape
from pylons import url
from pylons.pylonslib import Flash
from pylons.pylonslib.secure_form import secure_form

__all__ = ["flash", "secure_form", "wikified"]

flash = Flash()

_WORD = re.compile(r"\b(?:[A-Z][a-z]+){2,}\b")
_LINK = Markup('<a href="{}">{}</a>')


def wikified(content):
    """The text as HTML: paragraphs, and a link for each WikiWord."""
    paragraphs = re.split(r"\n\s*\n", content.replace("\r\n", "\n").strip())
    return Markup("\n").join(Markup("<p>{}</p>").format(_linked(each)) for each in paragraphs)


def _linked(text):
    parts, end = [], 0
    for word in _WORD.finditer(text):
        parts += [escape(text[end : word.start()]), _link(word[0])]
        end = word.end()
    return Markup("").join([*parts, escape(text[end:])])


def _link(title):
    return _LINK.format(url("show", title=title), title)
