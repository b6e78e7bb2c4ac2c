"""What a traceback says of an application, without the frames that only led to it."""

from types import TracebackType

__all__ = ["own_frames"]

# What imports and makes applications.
_MAKERS = ("cogen", "configparser", "importlib", "paste")


def own_frames(error: BaseException) -> TracebackType | None:
    """The frames of the application; None if it has none: the error is not of its code."""
    following = error.__traceback__
    while following is not None:
        package = str(following.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if package not in _MAKERS:
            break
        following = following.tb_next
    return following
