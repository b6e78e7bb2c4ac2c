"""Whether Beaker's session has to be stored again after the response was started.

Beaker stores a session, and adds its cookie, inside the `start_response` that it passes inwards.
"""

from __future__ import annotations

from wsgiref.types import WSGIEnvironment

__all__ = ["has_changed", "mark_saved"]


def mark_saved(environ: WSGIEnvironment) -> object:
    """Right after Beaker stored the session: a mark to compare with by `has_changed`."""
    session = environ.get("beaker.session")
    if session is None or not session.accessed():
        return None
    # Beaker itself never takes the flag back, so a later save() could not be told apart.
    session.__dict__["_dirty"] = False
    return session.__dict__["_headers"].get("cookie_out")


def has_changed(environ: WSGIEnvironment, mark: object) -> bool:
    """Whether the session was saved, deleted or given another cookie since `mark`."""
    session = environ.get("beaker.session")
    if session is None or not session.accessed():
        return False
    cookie = session.__dict__["_headers"].get("cookie_out")
    return bool(session.dirty()) or cookie != mark
