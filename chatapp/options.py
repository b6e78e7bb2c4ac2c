"""The chat's options: `chat.NAME` in the ini's [app:main]."""

import dataclasses

from chatapp.directory import Limit, Limits
from cogen.web.options import option

__all__ = ["ChatOptions"]


@dataclasses.dataclass(frozen=True)
class ChatOptions:
    """Every option of the chat with its default. Times are seconds."""

    title: str = option("Chat", "The page's title.")
    log: str = option(
        "sqlite:///data/chat.db", "The message log: `memory:`, `sqlite:///PATH` or `redis://HOST`."
    )
    data: str = option("data", "Folder of what the chat keeps: the secret that signs cookies.")
    secret_file: str = option(
        "",
        "File of that secret, the same for all workers; empty: `secret` in `chat.data`, made once.",
    )
    poll_timeout: float = option(
        10.0, "Time a poll without news is held, at most 300.", least=0.1, most=300
    )
    queue_size: int = option(10, "Batches that wait for a client's next poll.", least=1)
    history: int = option(10_000, "Messages kept in a room.", least=1)
    max_age: float = option(
        0.0, "Time a message is kept; 0: until `chat.history` is full.", least=0
    )
    max_rooms: int = option(
        10_000,
        "Rooms beside the lobby; one more replaces the longest silent of those nobody is in.",
        least=1,
    )
    max_message: int = option(4000, "Characters of a message.", least=1)
    push_rate: float = option(5.0, "Pushes a second of a session; 0: no limit.", least=0)
    push_burst: int = option(20, "Pushes at once of a session.", least=1)
    lease: float = option(
        20.0,
        "Time after a poll until its client counts as gone; the nick is kept as long again.",
        least=1,
    )
    nick_keep: float = option(
        2_592_000.0,
        "Time that a name stays its owner's after a message under it (30 days); 0: it does not.",
        least=0,
    )
    identity: str = option(
        "open",
        "Who is who: `open`, `members`, `host`, `token`, or a function, `mysite.chat:who`.",
        form=(
            r"open|members|host|token|[\w.]+:[\w.]+",
            "open, members, host, token or module:function",
        ),
    )
    keepers: str = option(
        "",
        "Who is a keeper without being made one: ids, or the `sender` that the wire has; spaces "
        "between.",
    )
    keeper_groups: str = option(
        "", "Groups of `host` and `token` whose people are keepers, commas between."
    )
    allow: str = option(
        "chatapp.community.acts:may",
        "Who may do what in which room: a function, `mysite.chat:may`.",
        form=(r"[\w.]+:[\w.]+", "module:function"),
    )
    max_private_rooms: int = option(100, "Private rooms that one person may make.", least=1)
    url: str = option(
        "http://127.0.0.1:5000",
        "Where the chat is, for the links that are printed.",
        form=(
            r"https?://[^\s\"<>]*[^\s\"<>/]",
            "a URL of http or https, no slash at its end",
        ),
    )
    login_url: str = option(
        "",
        "Where somebody signs in whom `chat.identity` does not know.",
        form=(r"|(https?:/)?/[^\s\"<>]*", "a URL of http or https, or a path"),
    )
    user_header: str = option(
        "",
        "`host`: the header with the user, believed from `trusted_proxies`; empty: REMOTE_USER.",
    )
    name_header: str = option("", "`host`: the header with the name that others see.")
    groups_header: str = option("", "`host`: the header with the user's groups, commas between.")
    passkeys: bool = option(
        False,
        "`members`: they can sign in with passkeys; `chat.url` has to be of https, or localhost.",
    )
    token_key: str = option("", "`token`: the key of HS256, or several, spaces between.")
    token_public_key: str = option(
        "", "`token`: files of public keys in PEM, Ed25519 or RSA, spaces between."
    )
    token_cookie: str = option("chat_jwt", "`token`: the cookie in which a page brings its token.")
    token_audience: str = option("", "`token`: what the token's `aud` has to have.")
    max_clients: int = option(20_000, "Clients at once.", least=1)
    max_clients_per_session: int = option(20, "Clients (tabs) of one session.", least=1)
    max_rooms_per_poll: int = option(100, "Rooms that one poll can name.", least=1)
    address_clients: int = option(
        1000, "Clients at once from one address, and twice as many sessions; 0: no limit.", least=0
    )
    address_sessions: int = option(
        2000, "New sessions of one address, at once and each hour; 0: no limit.", least=0
    )
    address_rooms: int = option(
        200, "New rooms of one address, at once and each hour; 0: no limit.", least=0
    )
    address_bytes: int = option(
        256 << 20,
        "Bytes of messages of one address, at once and each day; 0 is no limit.",
        least=0,
    )
    address_push_rate: float = option(
        20.0, "Pushes a second of one address; 0, or with chat.push_rate = 0: no limit.", least=0
    )
    address_push_burst: int = option(100, "Pushes at once of one address.", least=1)

    def limits(self) -> Limits:
        """The rate limits of sessions and addresses, which the directory counts."""
        return Limits(
            push_rate=Limit(self.push_rate, self.push_burst),
            address_push_rate=Limit(
                self.address_push_rate if self.push_rate else 0.0, self.address_push_burst
            ),
            address_sessions=Limit(self.address_sessions / _HOUR, self.address_sessions),
            address_rooms=Limit(self.address_rooms / _HOUR, self.address_rooms),
            address_bytes=Limit(
                self.address_bytes / _DAY if self.push_rate else 0.0, self.address_bytes
            ),
        )

    def groups_of_keepers(self) -> list[str]:
        """The groups that `keeper_groups` names."""
        return [each.strip() for each in self.keeper_groups.split(",") if each.strip()]

    def first_polls(self) -> Limit:
        """The rate limit of polls without a cookie from one address that are answered at once."""
        return Limit(self.address_sessions / _HOUR, max(20, self.address_sessions // 20))


_HOUR, _DAY = 3600, 86_400
