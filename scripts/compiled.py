"""Prints the modules that COGEN_COMPILE=1 compiles, one in a line: chatapp/live/poll."""

import ast
from pathlib import Path

for package, setup in ("chatapp", "setup.py"), ("cogen", "packaging/cogen/setup.py"):
    for node in ast.parse(Path(setup).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMPILED":
            for folder, names in ast.literal_eval(node.value).items():
                for name in names.split():
                    print(f"{package}/{folder}/{name}")
