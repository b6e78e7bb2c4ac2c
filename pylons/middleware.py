"""Middleware for `make_app`: what a failed request and an error status look like to the client.

Both pass chunks one for one, the empty ones too, and pass `close()` on.
"""

from pylons._documents import StatusCodeRedirect
from pylons._errors import ErrorHandler

__all__ = ["ErrorHandler", "StatusCodeRedirect"]
