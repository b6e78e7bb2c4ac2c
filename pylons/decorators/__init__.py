"""Decorators for actions: `jsonify` and `validate`; others in `cache`, `rest` and `secure`."""

from pylons.decorators._json import JSONEncoder, jsonify
from pylons.decorators._validation import (
    PylonsFormEncodeState,
    pylons_formencode_gettext,
    validate,
)
from pylons.decorators.util import get_pylons as get_pylons

__all__ = [
    "JSONEncoder",
    "PylonsFormEncodeState",
    "jsonify",
    "pylons_formencode_gettext",
    "validate",
]
