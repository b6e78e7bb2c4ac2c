"""Some people of a chat whose proxy says who they are."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any

from chatapp.community.acts import CONSOLE
from chatapp.identity.person import Person as Known
from pylons import config
from tests.chatapp.identity.test_host import HostCase
from tests.chatapp.support import Person

__all__ = ["CommunityCase"]


class CommunityCase(HostCase):
    """`self.ann`, `bob` and `cat` are members, `kim` and `kat` keepers, `ola` an owner."""

    def setUp(self) -> None:
        self.begin(keepers="kim kat")
        names = ("ann", "bob", "cat", "kim", "kat", "ola")
        self.ann, self.bob, self.cat, self.kim, self.kat, self.ola = map(self.came, names)
        self.done(self.globals.keeping.give_role(CONSOLE, Known("ola", "Ola"), "owner"))

    def came(self, name: str) -> Person:
        person: Person = self.user(name, name.title())
        person.pull()
        return person

    @property
    def globals(self) -> Any:
        return config["pylons.app_globals"]

    def done(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.server.loop.run_until_complete(coroutine)

    def ask(self, person: Person, path: str, body: Any = None, status: int = 200) -> Any:
        """What is answered, as JSON."""
        answer = person.ask("GET", path) if body is None else person.post(path, body)
        self.assertEqual(status, answer.status, answer.body)
        return json.loads(answer.body)

    def error(self, person: Person, path: str, body: Any = None, status: int = 400) -> str:
        """The line of a refusal."""
        told = self.ask(person, path, body, status)
        line: str = told["error"]
        self.assertNotIn("\n", line)
        return line

    def made(
        self, person: Person, *people: str, policy: str = "members", title: str = "Lunch"
    ) -> Any:
        body = {"title": title, "policy": policy, "people": list(people)}
        return self.ask(person, "/chat/rooms", body)

    def rooms(self, person: Person, since: str = "") -> dict[str, Any]:
        listed = self.ask(person, f"/chat/rooms{since}")["rooms"]
        return {each["room"]: each for each in listed}
