"""The build backend of cogen and ChatApp (PEP 517): setuptools, and mypyc where C can be compiled.

COGEN_COMPILE=0 leaves a wheel in Python, 1 refuses to make such a one. Without it a wheel is
compiled if it can be; if not, one line says why. An editable install (PEP 660) and a source
distribution are never compiled, so that nothing but sources lies among the sources.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from configparser import RawConfigParser
from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

VARIABLE = "COGEN_COMPILE"
MYPY = "mypy >=1.18"

# setup.py looks at the variable too, and compiles if it is 1: only where it is set below.
_asked = os.environ.pop(VARIABLE, "")


def get_requires_for_build_wheel(config_settings=None):
    required = build_meta.get_requires_for_build_wheel(config_settings)
    return required if _obstacle() else [*required, MYPY]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    arguments = wheel_directory, config_settings, metadata_directory
    # What an earlier build has left there would be put into the wheel.
    for left in Path("build").glob("lib*"):
        shutil.rmtree(left)
    obstacle = _obstacle()
    if not obstacle:
        os.environ[VARIABLE] = "1"
        try:
            return build_meta.build_wheel(*arguments)
        except (Exception, SystemExit) as error:
            if _asked == "1":
                raise
            obstacle = f"{type(error).__name__}: {error}"
        finally:
            del os.environ[VARIABLE]
    setup = RawConfigParser()
    setup.read("setup.cfg")
    sys.stdout.write(f"{setup['metadata']['name']} is not compiled: {obstacle}\n")
    return build_meta.build_wheel(*arguments)


def _obstacle():
    """Why nothing is to be compiled; empty if it is. Ends the build if it has to be."""
    if _asked == "0":
        return f"{VARIABLE}=0"
    if _asked not in ("", "1"):
        raise SystemExit(f"{VARIABLE}={_asked}: it is 0 or 1, or not set")
    lacking = _lacking()
    if lacking and _asked == "1":
        raise SystemExit(f"{VARIABLE}=1, but {lacking}")
    return lacking


def _lacking():
    """What keeps C from being compiled for this Python; empty if nothing does."""
    if sys.implementation.name != "cpython":
        return "mypyc is for CPython"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    headers = sysconfig.get_path("include")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "smallest.c")
        source.write_text("#include <Python.h>\n")
        command = [*compiler, f"-I{headers}", "-c", source, "-o", f"{folder}/smallest.o"]
        try:
            subprocess.run(command, capture_output=True, check=True)
        except OSError:
            return f"there is no C compiler ({compiler[0]})"
        except subprocess.CalledProcessError:
            return f"{compiler[0]} does not compile with {headers}/Python.h"
    return ""
