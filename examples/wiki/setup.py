"""What is installed; the rest of it is in setup.cfg."""

from setuptools import setup

setup()
