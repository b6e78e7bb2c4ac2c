"""Names of cogen 0.2: those that are kept, and what is said of those that are not."""

import contextlib
import importlib
import subprocess
import sys
import unittest

from cogen.common import Scheduler, coro, coroutine, events, priority, proactors, sockets
from cogen.core import coroutines, schedulers
from cogen.core.coroutines import local
from cogen.core.events import AddCoro, Join, Sleep
from tests.cogen.core.support import CoreCase, elsewhere


class CommonTests(unittest.TestCase):
    def test_it_has_what_programs_take_from_it_by_a_star(self):
        names = {}
        exec("from cogen.common import *", names)
        told = {"Scheduler", "coro", "coroutine", "events", "priority", "proactors", "sockets"}
        self.assertEqual(told, set(names) - {"__builtins__"})
        self.assertIs(coroutines.coro, coro)
        self.assertIs(coroutine, coro)
        self.assertIs(schedulers.Scheduler, Scheduler)
        self.assertEqual(["Sleep", "Socket"], [events.Sleep.__name__, sockets.Socket.__name__])


class GoneTests(unittest.TestCase):
    def test_what_is_imported_and_is_gone_says_what_to_write(self):
        for module, name, words in (
            ("cogen.core.events", "Call", "yield the call itself"),
            ("cogen.core.events", "TimedOperation", r"every Operation takes timeout="),
            ("cogen.core.events", "ConnectionClosed", "in cogen.core.sockets"),
            ("cogen.core.events", "priority", "Leave prio= and default_priority= out"),
            ("cogen.core.coroutines", "CoroutineInstance", "is a Coroutine"),
            ("cogen.core.util", "debug", "debug_coroutine"),
            ("cogen.core.util", "fmt_list", "reprlib"),
            ("cogen.core.proactors", "has_epoll", r"Scheduler\(proactor='any'\)"),
            ("cogen.core.proactors", "DefaultProactor", "uvloop's or asyncio's"),
            ("cogen.web.wsgi", "Runner", "server_factory"),
        ):
            told = f"^{module}.{name} of cogen 0.2 is gone: .*{words}"
            with self.subTest(name), self.assertRaisesRegex(ImportError, told):
                exec(f"from {module} import {name}")
            with self.subTest(name), self.assertRaisesRegex(ImportError, told):
                getattr(importlib.import_module(module), name)

    def test_the_modules_are_attributes_of_the_package(self):
        told = "priority of cogen 0.2 is gone"
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from cogen import common; import cogen; "
                f"assert {told!r} in repr(cogen.core.util.priority); cogen.core.proactors",
            ],
            check=True,
        )

    def test_other_names_are_missing_as_in_any_module(self):
        for module in ("cogen.core.events", "cogen.core.coroutines", "cogen.core.util"):
            self.assertFalse(hasattr(importlib.import_module(module), "other"))
            with self.assertRaisesRegex(ImportError, "cannot import name 'other'"):
                exec(f"from {module} import other")

    def test_priorities_and_proactors_are_told_where_they_are_used(self):
        with self.assertRaisesRegex(AttributeError, "FIRST: priority .* gone: .* runs first"):
            priority.FIRST  # noqa: B018
        with self.assertRaisesRegex(AttributeError, "has_any: cogen.core.proactors .* gone"):
            proactors.has_any()
        self.assertRegex(repr(priority), "^<priority of cogen 0.2 is gone")

    def test_arguments_of_a_scheduler_that_are_gone_are_told(self):
        for name in ("default_priority", "proactor_resolution", "proactor_greedy", "ops_greedy"):
            with self.assertRaisesRegex(TypeError, f"no {name}= any more: "):
                Scheduler(**{name: 1})
        with self.assertRaisesRegex(TypeError, "^Scheduler takes no colour=$"):
            Scheduler(colour=1)


class LocalTests(CoreCase):
    def test_coroutines_do_not_see_each_others_values(self):
        mine = local()

        def counting(number):
            mine.number = number
            yield Sleep(1)
            return mine.number

        coroutines = [self.start(counting, number) for number in range(3)]
        self.scheduler.run()
        self.assertEqual([0, 1, 2], [each.result() for each in coroutines])
        self.assertFalse(hasattr(mine, "number"))

    def test_a_coroutine_begins_with_the_values_of_who_starts_it(self):
        mine = local()

        def child():
            began = mine.value
            mine.value = "child's"
            yield
            return began

        def parent():
            mine.value = "parent's"
            started = yield AddCoro(child)
            return (yield Join(started)), mine.value

        self.assertEqual(("parent's", "parent's"), self.run_(parent))

    def test_threads_have_values_of_their_own(self):
        mine = local()
        mine.value = 1
        self.assertEqual(0, elsewhere(lambda: len(vars_of(mine))))
        self.assertEqual({"value": 1}, vars_of(mine))

    def test_what_is_not_set_is_no_attribute(self):
        mine, other = local(), local()
        mine.value = 1
        self.assertEqual("<local {'value': 1}>", repr(mine))
        del mine.value
        for act in (lambda: mine.value, lambda: delattr(mine, "value"), lambda: other.value):
            with self.assertRaisesRegex(AttributeError, "'value' is not set in this coroutine"):
                act()


def vars_of(mine):
    found = {}
    with contextlib.suppress(AttributeError):
        found["value"] = mine.value
    return found


class WithoutTheServerTests(unittest.TestCase):
    def test_common_imports_nothing_of_the_web(self):
        program = "import sys, cogen.common; sys.exit('cogen.web' in sys.modules)"
        self.assertEqual(0, subprocess.run([sys.executable, "-c", program]).returncode)
