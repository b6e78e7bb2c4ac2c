"""How a member takes another name: the id, and whose the messages are, stay as they were."""

from chatapp.identity.members import Member, rename_member
from chatapp.identity.names import KeptNames
from chatapp.model import Records

__all__ = ["take_name"]


async def take_name(
    records: Records, names: KeptNames, identity: str, name: str, keep: float
) -> Member | None:
    """The member is called `name`; None: there is none, or that is the name already.

    The name of before is nobody else's for `keep` seconds, so that nobody takes it at once to be
    taken for its owner; the one before that is anybody's. Raises NickTaken, LogUnavailable.
    """
    await names.keep(name, identity, None)
    renamed = await rename_member(records, identity, name)
    if renamed is None:
        return None
    before, member = renamed
    await names.release(before.name, identity, keep)
    if before.was not in ("", before.name, name):
        await names.release(before.was, identity, 0.0)
    return member
