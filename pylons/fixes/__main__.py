"""The command `python -m pylons.fixes`."""

import sys

from pylons.fixes import main

__all__: list[str] = []

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m pylons.fixes FOLDER...: convert a project for Python 2 in place")
    sys.exit(1 if main(sys.argv[1:]) else 0)
