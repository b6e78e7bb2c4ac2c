"""`cogen-serve --check`: what would be served, and how, without a start."""

import sys

from cogen.web.connections.addresses import address_problem
from cogen.web.life import Application, OnLoop, expect_lives, take_lives
from cogen.web.options import OptionError, Options
from cogen.web.program import Program
from cogen.web.serving import check_options

__all__ = ["check"]


def check(program: Program) -> None:
    """Print a line for the application, the address, and each option that is given.

    Raises OptionError, CannotServe.
    """
    program.log()
    application = _loaded(program)
    options = program.options
    mode = check_options(options, application)
    problem = address_problem(options)
    if problem is not None and not problem.taken:
        raise OptionError(f"{problem}")
    place = f"unix:{options.unix_socket}" if options.unix_socket else _url(options)
    lines = [
        f"{program.where}: {_name(application)}",
        mode,
        f"serves on {place}" + (", where somebody listens now" if problem else ""),
        *(
            f"{name} = {getattr(options, name)} ({origin})"
            for name, origin in sorted(program.origins.items())
            if name != "application"
        ),
        "nothing is wrong",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _loaded(program: Program) -> Application:
    expect_lives()
    try:
        return program.load()
    except SystemExit as end:  # by a line of the application
        raise OptionError(f"{end}") from None
    finally:
        take_lives()


def _name(application: Application) -> str:
    """What kind of thing it is: a function by its own name, others by that of their class."""
    if isinstance(application, OnLoop):
        application = application.application
    named = application if hasattr(application, "__qualname__") else type(application)
    return f"{named.__module__}.{named.__qualname__}"


def _url(options: Options) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{'https' if options.certificate else 'http'}://{host}:{options.port}/"
