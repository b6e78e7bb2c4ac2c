"""The rest is in setup.cfg."""

import os

from setuptools import find_packages, setup

# The sources are beside this file in a source distribution, at the top in the repository.
SOURCES = "." if os.path.isdir("pylons") else "../.."

setup(
    package_dir={"pylons": f"{SOURCES}/pylons"},
    packages=find_packages(SOURCES, include=["pylons", "pylons.*"]),
)
