"""From `chat.identity` to what knows who asks."""

from chatapp.identity.function import Function, function_of
from chatapp.identity.host import Host
from chatapp.identity.members import Members
from chatapp.identity.person import Identity
from chatapp.identity.token import Token, keys_of
from chatapp.options import ChatOptions

__all__ = ["identity_of"]


def identity_of(options: ChatOptions) -> Identity | None:
    """What `options` name; None: `open`, where a name is all it takes. Raises ValueError."""
    kind = options.identity
    if kind == "open":
        return None
    if kind == "host":
        return Host(options.user_header, options.name_header, options.groups_header)
    if kind == "members":
        return Members()
    if kind == "token":
        try:
            keys = keys_of(options.token_key, options.token_public_key)
        except OSError as error:
            raise ValueError(f"chat.token_public_key: {error.filename}: {error.strerror}") from None
        return Token(keys, options.token_cookie, options.token_audience)
    return Function(function_of("chat.identity", kind))
