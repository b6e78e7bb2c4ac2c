"""`paster setup-app INI`: what the first start would make, and the errors that it would have."""

from typing import Any

from chatapp.config.environment import load_environment

__all__ = ["setup_app"]


def setup_app(command: Any, conf: Any, vars: Any) -> None:
    """Make the folder `chat.data` and the secret in it. Ends the program if it cannot."""
    load_environment(conf.global_conf, conf.local_conf)
