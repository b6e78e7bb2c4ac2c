"""What log and directory share of a Redis: the way to it, and scripts that run there."""

__all__ = ["SCHEMES"]

SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
"""Of the URLs that name one."""
