"""What the figures were measured on."""

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Iterable
from typing import Any

from benchmarks.servers import cores
from benchmarks.targets import COMPILED

__all__ = ["described"]


def described(packages: Iterable[str]) -> dict[str, Any]:
    """With the versions of those of `packages` that are installed."""
    versions = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    server, clients = cores()
    return {
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "cores": os.cpu_count(),
        "one_core_for_both": server == clients,
        "compiled": COMPILED.exists(),
        "versions": versions,
    }
