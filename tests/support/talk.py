"""Two clients of a chat that talk to each other."""

from __future__ import annotations

from chatapp.bots import ChatClient, Message

__all__ = ["talk"]


async def talk(url: str) -> list[str]:
    """What one of them hears: "one" in a poll that is held, and the answer to that, "two"."""
    async with ChatClient(url) as reader, ChatClient(url) as writer:
        await reader.join()
        await writer.join()
        await writer.send("one")
        texts: list[str] = []
        async for event in reader.follow():
            if isinstance(event, Message):
                texts.append(event.text)
                if len(texts) == 2:
                    break
                await writer.send("two")
        return texts
