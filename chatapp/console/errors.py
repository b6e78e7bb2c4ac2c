"""What goes wrong with what is asked from a shell."""

__all__ = ["ConsoleError"]


class ConsoleError(Exception):
    """It was not done; the message says why, in one line."""
