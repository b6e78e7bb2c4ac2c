"""`chatapp config`: an ini for production, the one that `paster make-config ChatApp` writes."""

from importlib.resources import files

__all__ = ["configuration"]


def configuration() -> str:
    """The text of the ini."""
    return files("chatapp").joinpath("config/deployment.ini_tmpl").read_text("utf-8")
