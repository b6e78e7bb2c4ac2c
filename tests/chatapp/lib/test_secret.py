"""The secret: where it comes from, and what is refused as one."""

import os
import stat
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from chatapp.lib import secret as module
from chatapp.lib.secret import derived_key, find_secret, fingerprint, load_secret


class SecretCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "secret"

    def write(self, content, mode=0o600):
        self.path.touch(mode)
        self.path.chmod(mode)
        self.path.write_text(content)


class FoundTests(SecretCase):
    def test_one_in_a_named_file_is_taken_and_never_made(self):
        with self.assertRaisesRegex(OSError, "secret"):
            find_secret({}, str(self.path), "data")
        self.assertFalse(self.path.exists())
        self.write("s" * 32)
        self.assertEqual(b"s" * 32, find_secret({}, str(self.path), "nowhere"))

    def test_one_in_the_environment_comes_first(self):
        self.assertEqual(b"e" * 40, find_secret({"CHAT_SECRET": "e" * 40}, "nowhere", "nowhere"))
        self.assertFalse(Path("nowhere").exists())
        with self.assertRaisesRegex(ValueError, "CHAT_SECRET is too short"):
            find_secret({"CHAT_SECRET": "secret"}, "", "nowhere")
        with self.assertRaisesRegex(ValueError, "CHAT_SECRET is too short"):
            find_secret({"CHAT_SECRET": ""}, "", "nowhere")

    def test_without_either_it_is_made_for_its_owner_and_kept(self):
        data = self.folder / "not" / "there"
        made = find_secret({}, "", str(data))
        self.assertEqual(64, len(made))
        self.assertEqual(made, find_secret({}, "", str(data)))
        self.assertEqual(0o600, stat.S_IMODE((data / "secret").stat().st_mode))
        self.assertEqual(["secret"], os.listdir(data))

    def test_a_folder_in_its_place_is_told_as_one(self):
        self.path.mkdir()
        with self.assertRaisesRegex(IsADirectoryError, "secret"):
            load_secret(self.path)

    def test_each_place_makes_one_of_its_own(self):
        first, second = (find_secret({}, "", str(self.folder / name)) for name in ("a", "b"))
        self.assertNotEqual(first, second)

    def test_two_starts_at_once_end_with_one(self):
        # Both have seen that there is none before either has made it.
        both = threading.Barrier(2)
        link = os.link

        def linked(draft, path):
            both.wait(10)
            link(draft, path)

        found = []
        self.enterContext(mock.patch.object(module.os, "link", linked))
        starts = [
            threading.Thread(target=lambda: found.append(find_secret({}, "", str(self.folder))))
            for _ in range(2)
        ]
        for start in starts:
            start.start()
        for start in starts:
            start.join(20)
        self.assertEqual(2, len(found))
        self.assertEqual(found[0], found[1])
        self.assertEqual(["secret"], os.listdir(self.folder))


class RefusedTests(SecretCase):
    def test_one_that_others_can_read(self):
        for mode in (0o640, 0o604, 0o620):
            self.write("s" * 64, mode)
            with self.assertRaisesRegex(ValueError, f"{self.path} can be read by others.*chmod"):
                load_secret(self.path)

    def test_one_that_is_too_short(self):
        for content in ("", "short", "s" * 31, " " * 64):
            self.write(content)
            with self.assertRaisesRegex(ValueError, f"{self.path} is too short"):
                load_secret(self.path)


class DerivedTests(unittest.TestCase):
    def test_each_purpose_has_a_key_of_its_own(self):
        keys = {derived_key(b"s" * 32, purpose) for purpose in ("token", "session", "fingerprint")}
        self.assertEqual(3, len(keys))
        self.assertEqual(derived_key(b"s" * 32, "token"), derived_key(b"s" * 32, "token"))

    def test_the_fingerprint_is_neither_the_secret_nor_a_key(self):
        self.assertEqual(16, len(fingerprint(b"s" * 32)))
        self.assertNotEqual(fingerprint(b"s" * 32), fingerprint(b"t" * 32))
        self.assertNotIn(fingerprint(b"s" * 32), derived_key(b"s" * 32, "token").hex())
