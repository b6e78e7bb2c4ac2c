"""Builds the image's stages in roots of their own, and runs the chat of the last: make image-test.

It takes root, mmdebstrap, and some minutes.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.harness.chat import free_port
from tests.containers.dockerfile import stages
from tests.containers.root import Root, make_base, say

PATIENCE = 60.0


def main():
    if os.getuid() != 0 or not shutil.which("mmdebstrap"):
        raise SystemExit("image-test: skipped: it takes root, and `apt-get install mmdebstrap`")
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)
        roots = built(folder)
        serve(roots[-1])


def built(folder):
    """The roots of all stages."""
    roots, named, bases = [], {}, {}
    for number, stage in enumerate(stages()):
        began = time.monotonic()
        if stage.base not in bases:
            bases[stage.base] = folder / f"base-{len(bases)}.tar"
            make_base(stage.base, bases[stage.base])
        root = Root(folder / f"stage-{number}", bases[stage.base])
        root.build(stage, named)
        roots.append(root)
        named[stage.name] = root
        seconds = time.monotonic() - began
        say(f"stage {number}: {seconds:.0f} s, {size(root.folder)} MB")
    return roots


def size(folder):
    done = subprocess.run(["du", "-sm", folder], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def serve(root):
    """The entry point, on a free port: healthy, compiled, not as root, and it stops."""
    port = free_port()
    log = root.folder.parent / "log"
    command = root.command([*root.entry, f"port={port}"])
    health = root.command([word.replace(":8080", f":{port}") for word in root.health])
    with open(log, "wb") as file:
        process = subprocess.Popen(command, env=root.environ(), stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(health, env=root.environ(), capture_output=True).returncode:
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit(f"image-test: it is not healthy:\n{log.read_text()}")
            time.sleep(0.1)
        url = f"http://127.0.0.1:{port}/"
        with urllib.request.urlopen(url) as page:
            assert b"<title>Chat</title>" in page.read()
        database = root.folder / "var/lib/chat/chat.db"
        assert database.stat().st_uid == 10001, "it serves as somebody else"
        said = log.read_text()
        assert "not compiled" not in said, said
    finally:
        stop(process)
    assert log.read_text().endswith("stopped\n"), log.read_text()
    say(f"healthy, as the user {root.user}:\n{said}")


def stop(process):
    """As a runtime stops a container: by a signal to its first process."""
    for server in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(server), signal.SIGTERM)
    process.wait()


if __name__ == "__main__":
    main()
