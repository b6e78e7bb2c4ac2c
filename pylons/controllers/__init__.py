"""Controllers: the classes whose methods answer requests."""

from pylons.controllers.core import WSGIController

__all__ = ["WSGIController"]
