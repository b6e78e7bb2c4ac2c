"""What is installed; the rest of it is in setup.cfg."""

from setuptools import setup

# The keyword names the distributions whose commands `paster` has in this folder.
setup(paster_plugins=["PasteScript", "Pylons"])
