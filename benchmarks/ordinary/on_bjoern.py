"""The application on bjoern, which has no command: python -m benchmarks.ordinary.on_bjoern PORT."""

import sys

import bjoern

from benchmarks.ordinary.application import application

if __name__ == "__main__":
    bjoern.run(application, "127.0.0.1", int(sys.argv[1]))
