"""An application as frameworks make it."""

from module import callable as application

__all__ = ["application"]
