"""What docs/production.md has the machine do to the chat: its sandbox, and its files moved away."""

import re
import signal
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

from benchmarks.harness.chat import ROOT, ChatServer
from benchmarks.harness.server import eventually
from chatapp.command.config import configuration
from tests.docs.pages import blocks
from tests.support.programs import needs

GUIDE = ROOT / "docs/production.md"
NAMES = ["access.log", "chat.log"]


class TracedServer(ChatServer):
    """With all that its processes ask of the kernel in the file `trace`."""

    def command(self):
        # -D: the process that is started is the server.
        tracer = ["strace", "-D", "-f", "-qq", "-e", "signal=none", "-o", self.folder / "trace"]
        return [*tracer, *super().command()]


def traced():
    """The trace of a start, a message, a reload and a stop."""
    with TracedServer(server={"metrics_path": "/metrics"}) as server:
        server.logged("serving on")
        _post(f"{server.url}chat/push", b"hello")
        urllib.request.urlopen(f"{server.url}metrics").close()
        server.signal(signal.SIGHUP)
        server.logged("a new process serves")
        server.stop()
        return (server.folder / "trace").read_text()


def _post(url, body):
    headers = {"Content-Type": "text/plain"}
    urllib.request.urlopen(urllib.request.Request(url, body, headers)).close()


def system_calls(group):
    """Those of systemd's `group`, which may have groups in it."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    found = set()
    for line in listed.stdout.splitlines()[1:]:
        name = line.strip()
        if name and not name.startswith("#"):
            found |= system_calls(name) if name.startswith("@") else {name}
    return found


@needs("systemd-analyze")
@needs("strace")
class SandboxTests(unittest.TestCase):
    """The unit of the guide, beside what the chat asks of the kernel."""

    @classmethod
    def setUpClass(cls):
        cls.trace = traced()
        [cls.unit] = [
            block.text for block in blocks(GUIDE, "systemd") if block.name == "chat.service"
        ]

    def test_its_system_calls_pass(self):
        allowed = set()
        filters = re.findall(r"^SystemCallFilter=(~?)(.*)$", self.unit, re.MULTILINE)
        for without, groups in filters:
            calls = set().union(*map(system_calls, groups.split()))
            allowed = allowed - calls if without else allowed | calls
        used = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", self.trace, re.MULTILINE))
        self.assertGreater(len(used), 50)
        # SQLite gives its files to the owner of the database, and only where it is root.
        self.assertEqual(set(), used - allowed - {"fchown"})

    def test_no_memory_is_written_and_run(self):
        self.assertIn("PROT_WRITE", self.trace)
        self.assertNotRegex(self.trace, r"PROT_WRITE\|PROT_EXEC")

    def test_its_sockets_are_of_the_families(self):
        [families] = re.findall(r"RestrictAddressFamilies=(.*)", self.unit)
        used = set(re.findall(r"socket(?:pair)?\((AF_\w+)", self.trace))
        self.assertLessEqual(used, set(families.split()))


@needs("logrotate")
class RotationTests(unittest.TestCase):
    def test_files_are_moved_away_and_made_anew(self):
        [block] = blocks(GUIDE, "logrotate")
        logs = Path(self.enterContext(tempfile.TemporaryDirectory()))
        server = ChatServer()
        server.ini.write_text(configuration({"port": f"{server.port}"}, str(logs)))
        with server:
            urllib.request.urlopen(f"{server.url}chat.css").close()
            eventually(lambda: (logs / "access.log").read_text().count("/chat.css"), 1)
            self.rotate(block.text, logs, server)
            eventually(lambda: sorted(path.name for path in logs.glob("*.log")), NAMES)
            self.assertIn("/chat.css", (logs / "access.log.1").read_text())
            self.assertIn("serving on", (logs / "chat.log.1").read_text())
            urllib.request.urlopen(f"{server.url}chat.js").close()
            eventually(lambda: (logs / "access.log").read_text().count("/chat.js"), 1)

    def rotate(self, text, logs, server):
        """As the machine would, once a week; users are of this one."""
        text = text.replace("/var/log/chat", str(logs)).replace("    su chat chat\n", "")
        text = re.sub("systemctl kill .*", f"kill -USR1 {server.process.pid}", text)
        path = server.folder / "logrotate"
        path.write_text(text)
        path.chmod(0o644)
        subprocess.run(
            ["logrotate", "--force", "--state", server.folder / "state", path], check=True
        )
