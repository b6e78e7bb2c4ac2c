"""What a project's error controller makes its pages of."""

from __future__ import annotations

import os
from typing import Final

from markupsafe import Markup

__all__ = ["error_document_template", "media_path"]

media_path: Final = os.path.join(os.path.dirname(__file__), "media")
"""The folder of the pages' `style/` and `img/`."""

error_document_template: Final = Markup(
    """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Server Error %(code)s</title>
<link rel="stylesheet" href="%(prefix)s/error/style/black.css">
<link rel="icon" href="%(prefix)s/error/img/favicon.ico">
</head>
<body>
<div id="container">
%(message)s
</div>
</body>
</html>
"""
)
"""A page for `%`: `prefix` is the place of the application (SCRIPT_NAME), `code` and `message` are
the error's; they are escaped unless they are a literal, `markupsafe.Markup`."""
