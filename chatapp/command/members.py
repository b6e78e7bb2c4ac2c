"""`chatapp invite`, `members` and `sign-out`: who may come in where `chat.identity = members`."""

import asyncio
import sys

from chatapp.command.copies import only_chat
from chatapp.command.records import records_of
from chatapp.command.sections import Chat
from chatapp.identity.members import Member, all_members, invite, invite_again, sign_out
from chatapp.model import Records
from chatapp.model.sqlite.copies import CopyFailed

__all__ = ["invite_members", "print_members", "sign_member_out"]

_MOST_LINKS = 1000


def invite_members(ini: str, role: str, name: str | None, count: int = 1) -> None:
    """Print links, each of which makes one a member of the chat of the ini, or `name` again."""
    if not 1 <= count <= _MOST_LINKS:
        raise SystemExit(f"chatapp: --count: 1 to {_MOST_LINKS} links")
    asyncio.run(_invite(_chat(ini), role, name, count))


def print_members(ini: str) -> None:
    """Print id, role, how many devices, and name of each member."""
    asyncio.run(_print(_chat(ini)))


def sign_member_out(ini: str, name: str) -> None:
    """Sign the member out on every device. Ends the program with one line if there is none."""
    asyncio.run(_sign_out(_chat(ini), name))


def _chat(ini: str) -> Chat:
    try:
        chat = only_chat(ini)
    except (CopyFailed, ValueError) as error:
        raise SystemExit(f"chatapp: {error}") from None
    if chat.options.identity != "members":
        raise SystemExit(f"chatapp: {ini}: chat.identity is not members")
    return chat


async def _invite(chat: Chat, role: str, name: str | None, count: int) -> None:
    async with records_of(chat.backend) as records:
        if name is None:
            codes = [await invite(records, role) for _ in range(count)]
        else:
            codes = [await invite_again(records, await _named(records, name))]
    for code in codes:
        sys.stdout.write(f"{chat.options.url}/device/{code}\n")


async def _named(records: Records, name: str) -> Member:
    found = [each for each in await all_members(records) if name in (each.id, each.name)]
    if len(found) != 1:
        raise SystemExit(f"chatapp: no member is called {name}")
    return found[0]


async def _print(chat: Chat) -> None:
    async with records_of(chat.backend) as records:
        for member in await all_members(records):
            count = len(member.devices)
            sys.stdout.write(f"{member.id}\t{member.role}\t{count}\t{member.name}\n")


async def _sign_out(chat: Chat, name: str) -> None:
    async with records_of(chat.backend) as records:
        member = await _named(records, name)
        await sign_out(records, member.id)
    sys.stdout.write(f"{member.name} is signed out on every device\n")
