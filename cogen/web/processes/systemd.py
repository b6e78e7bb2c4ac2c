"""Telling systemd how the service is (sd_notify(3))."""

import os
import socket

__all__ = ["notify", "watchdog_seconds"]


def notify(state: str) -> None:
    """Send `state`, like READY=1, to the service manager; nothing happens where there is none."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    # A name that begins with @ is in Linux' abstract namespace.
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(state.encode(), address)
        except OSError:
            # It is not waiting any more; serving matters more.
            return


def watchdog_seconds() -> float:
    """Within which the manager wants to hear WATCHDOG=1 of this process, again and again; 0.0: it
    does not (WatchdogSec=, sd_watchdog_enabled(3))."""
    pid, microseconds = (os.environ.get(f"WATCHDOG_{name}", "") for name in ("PID", "USEC"))
    if not os.environ.get("NOTIFY_SOCKET") or pid not in ("", str(os.getpid())):
        return 0.0
    return int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0
