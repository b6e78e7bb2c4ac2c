"""The rest is in setup.cfg. With COGEN_COMPILE=1, which packaging/compiling.py sets where that can
be, mypyc compiles what a poll passes through."""

import os

from setuptools import setup

COMPILED = {
    "lib": "outcomes poll_requests waiting wire",
    "live": "hub participant poll progress request rooms",
}

# `make check` judges the types. An install has neither the libraries nor the mypy of that.
OPTIONS = ["--config-file=", "--ignore-missing-imports"]


def extensions():
    if os.environ.get("COGEN_COMPILE") != "1":
        return {}
    from mypyc.build import mypycify

    modules = [
        f"chatapp/{folder}/{name}.py"
        for folder, names in COMPILED.items()
        for name in names.split()
    ]
    return {"ext_modules": mypycify(OPTIONS + modules, debug_level="0")}


# In the repository not at the top: paster would serve the sources beside it, whatever is installed.
EGG_INFO = {"egg_base": "packaging"} if os.path.isdir("packaging/cogen") else {}

setup(options={"egg_info": EGG_INFO}, **extensions())
