"""cogen: coroutines (`cogen.core`) and a WSGI server whose applications can wait (`cogen.web`)."""

__version__: str


def __getattr__(name: str) -> str:
    """`__version__` is what is installed."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cogen")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
