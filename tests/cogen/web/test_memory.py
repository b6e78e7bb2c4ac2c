"""Memory that a crowd took goes back to the system when the crowd is gone."""

from __future__ import annotations

import sys
import unittest

from tests.cogen.web.hostile import HostileServer, broken_uploads
from tests.cogen.web.support import eventually

MEBIBYTE = 1 << 20


@unittest.skipUnless(sys.platform == "linux", "elsewhere the allocator is left alone")
class MemoryTest(unittest.TestCase):
    def test_it_is_back_after_uploads_that_broke(self) -> None:
        with HostileServer() as server:
            server.answers()
            before = server.resident()
            crowd = broken_uploads(server, 20, 0.1)
            next(crowd)
            eventually(lambda: server.resident() > before + 10 * MEBIBYTE, True)
            next(crowd, None)
            # Freed, it would be kept by the allocator for ever.
            eventually(lambda: server.resident() < before + 3 * MEBIBYTE, True)
