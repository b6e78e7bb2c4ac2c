"""How a member takes another name: the id, and whose the messages are, stay as they were."""

from chatapp.identity.claims import Outdated
from chatapp.identity.members import Member, find_member, rename_member
from chatapp.identity.names import KeptNames
from chatapp.model import Records

__all__ = ["take_name"]


async def take_name(
    records: Records, names: KeptNames, identity: str, name: str, keep: float
) -> Member | None:
    """The member is called `name`; None: there is none, or that is the name already.

    The name of before is nobody else's for `keep` seconds, so that nobody takes it at once to be
    taken for its owner; the one before that is anybody's. All of that is one change. Raises
    NickTaken, LogUnavailable.
    """
    while True:
        before = await find_member(records, identity)
        if before is None:
            return None
        if before.name == name:
            await names.keep(name, identity, None)
            return None
        claim = await names.claim_release(before.name, identity, keep)
        if before.was not in ("", before.name, name):
            claim |= await names.claim_release(before.was, identity, 0.0)
        # Last, as what looks like one of those stays the member's.
        claim |= await names.claim(name, identity, None)
        try:
            member = await rename_member(records, before, name, claim)
        except Outdated:
            continue
        if member is not None:
            return member
