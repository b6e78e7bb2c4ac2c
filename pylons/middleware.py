"""Middleware for `make_app`: the application's files, and what a failed request and an error status
look like to the client.

All pass chunks one for one, the empty ones too, and pass `close()` on.
"""

from pylons._documents import StatusCodeRedirect
from pylons._errors import ErrorHandler
from pylons._static import StaticFiles

__all__ = ["ErrorHandler", "StaticFiles", "StatusCodeRedirect"]
