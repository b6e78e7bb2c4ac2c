"""The site that Sphinx makes of the guides and of the docstrings: `make site`."""

import importlib.metadata

project = "cogen, Pylons, ChatApp"
release = importlib.metadata.version("ChatApp")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "site"
html_theme = "furo"
html_title = project

myst_heading_anchors = 4
highlight_language = "none"
# A block's second word is the name of its file; some kinds have no highlighter.
suppress_warnings = ["misc.highlighting_failure"]

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"


def setup(app):
    app.connect("autodoc-process-docstring", _mark_code)


def _mark_code(app, what, name, obj, options, lines):
    """In docstrings an indented block behind an empty line is code; Sphinx wants that marked."""
    marked = []
    for number, line in enumerate(lines):
        before = next((each for each in reversed(lines[:number]) if each.strip()), "")
        begins = number and not lines[number - 1].strip() and not before.startswith(" ")
        if begins and line.startswith("    "):
            marked += ["::", ""]
        marked.append(line)
    lines[:] = marked
