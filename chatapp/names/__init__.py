"""When two names are one: those of rooms by what they say, nicks by what they look like as well."""

from chatapp.names.folding import folded
from chatapp.names.looks import looks
from chatapp.names.unseen import is_seen, visible

__all__ = ["folded", "is_seen", "looks", "visible"]
