"""The rest is in setup.cfg. With COGEN_COMPILE=1, which compiling.py sets where that can be, mypyc
compiles what a request passes through."""

import os

from setuptools import find_packages, setup

# The sources are beside this file in a source distribution, at the top in the repository.
SOURCES = "." if os.path.isdir("cogen") else "../.."

COMPILED = {
    "core": "coroutines events greenlets ordered parts posting pubsub queue schedulers "
    "threads timers",
    "web": "extensions server",
    "web/connections": "connection intake link shared",
    "web/exchanges": "answer asked exchange front pool sendfile threads",
    "web/http": "chunked environ parser request response",
}

# `make check` judges the types. An install has neither the libraries nor the mypy of that.
OPTIONS = ["--config-file=", "--ignore-missing-imports"]


def extensions():
    if os.environ.get("COGEN_COMPILE") != "1":
        return {}
    from mypyc.build import mypycify

    modules = [
        f"{SOURCES}/cogen/{folder}/{name}.py"
        for folder in COMPILED
        for name in COMPILED[folder].split()
    ]
    return {"ext_modules": mypycify(OPTIONS + modules, debug_level="0")}


setup(
    package_dir={"cogen": f"{SOURCES}/cogen"},
    packages=find_packages(SOURCES, include=["cogen", "cogen.*"]),
    **extensions(),
)
