"""The options of `cogen-serve`: those of the server, and how the program itself runs."""

import dataclasses

from cogen.web.options import Options, option

__all__ = ["OWN", "Running"]

_LEVEL = (
    "(?i:debug|info|warning|error|critical)",
    "one of debug, info, warning, error, critical",
)


@dataclasses.dataclass(frozen=True)
class Running(Options):
    """Every option of the server, and after them those of the program."""

    application: str = option("", "What is served, where the command line names nothing.")
    config: str = option("", "File of options in TOML, like `max_body = 1000`.")
    app_dir: str = option(".", "Folder in which Python looks for the application's modules first.")
    factory: bool = option(
        False, "What is named makes the application: it is called, without arguments."
    )
    reload: bool = option(
        False, "For development: start anew when code, templates or settings have changed."
    )
    log_level: str = option(
        "",
        "The least level that the log has; empty: `info`, or as `log_config` or an ini has it.",
        form=(f"({_LEVEL[0]})?", _LEVEL[1]),
    )
    log_file: str = option("", "File of the log; empty: standard error.")
    access_log_file: str = option(
        "",
        "File of the access log, `combined` unless `access_log` says so; empty: standard output.",
    )
    log_config: str = option(
        "",
        "File that sets Python's logging up: `.json` or `.toml` for dictConfig, else an ini for "
        "fileConfig.",
    )


OWN = tuple(
    field
    for field in dataclasses.fields(Running)
    if field.name not in {each.name for each in dataclasses.fields(Options)}
)
"""The fields of the program's own options."""
