"""The chat: an application in the Pylons layout."""

__version__: str


def __getattr__(name: str) -> str:
    """`__version__` is what is installed."""
    if name == "__version__":
        from importlib.metadata import version

        return version("ChatApp")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
