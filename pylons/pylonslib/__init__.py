"""What WebHelpers had for Pylons (`webhelpers.pylonslib`), which nothing else on PyPI has."""

from pylons.pylonslib.flash import Flash, Message

__all__ = ["Flash", "Message"]
