"""`paster chat`: the program `chatapp`, for who is used to `paster`."""

from collections.abc import Sequence
from typing import Any, ClassVar

from paste.script.command import Command

from chatapp.command.main import main

__all__ = ["ChatCommand"]


class ChatCommand(Command):  # type: ignore[misc]
    """Look after the chat, as `chatapp` does: `paster chat VERB`"""

    summary: ClassVar[str] = "Look after the chat: its verbs are those of chatapp"
    usage: ClassVar[str] = "VERB"
    group_name: ClassVar[str] = "chat"
    parser: ClassVar[Any] = Command.standard_parser()

    def run(self, args: Sequence[str]) -> int:
        """Do what the verb says. Ends the program as `chatapp` does."""
        main(args)
        return 0
