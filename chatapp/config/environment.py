"""From the ini's [app:main] to the configuration of the application."""

import dataclasses
import os
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from mako.lookup import TemplateLookup
from paste.deploy.converters import asbool

from chatapp.community.book import Book
from chatapp.community.keeping import Keeping
from chatapp.community.people import Acquaintances
from chatapp.config.routing import make_map
from chatapp.config.sessions import check_session, session_options
from chatapp.config.version import version_of
from chatapp.identity.kinds import identity_of
from chatapp.identity.members import KEPT_SECONDS, Members
from chatapp.identity.names import KeptNames
from chatapp.identity.passkeys import Passkeys, passkeys_host
from chatapp.lib.about import about
from chatapp.lib.addresses import Addresses
from chatapp.lib.badges import Badges
from chatapp.lib.cookies import badge_name, token_name
from chatapp.lib.following import Following
from chatapp.lib.gate import Gate
from chatapp.lib.identity import Signer
from chatapp.lib.listing import Listing
from chatapp.lib.people import People
from chatapp.lib.rules import rule_of
from chatapp.lib.secret import derived_key, find_secret, fingerprint
from chatapp.lib.signedout import SignedOut
from chatapp.live.hub import Hub
from chatapp.options import ChatOptions
from cogen.web.options import OptionError, Options, parse_options, unknown_option
from cogen.web.settings.ini import Ini
from pylons.configuration import PylonsConfig
from pylons.templating import make_lookup

__all__ = ["Globals", "chat_options", "chat_settings", "check_chat", "load_environment"]

_PREFIX = "chat."
# Set by `paster serve --reload` and `cogen-serve --reload`.
_RELOADING = frozenset(["PYTHON_RELOADER_SHOULD_RUN", "COGEN_RELOAD"])
_KNOWN = ("session.", "beaker.session.", "debug", "here", "__file__")
_NAMES = frozenset(_PREFIX + field.name for field in dataclasses.fields(ChatOptions))
# Variables of the command line that are for the server.
_SERVER_NAMES = frozenset(["http_port", *(field.name for field in dataclasses.fields(Options))])


class Globals:
    """`app_globals`: the hub, the book of rooms and standings with its gate, what people do to
    both, who came; addresses, whose names are, the signer of tokens, the templates.

    `badges` and `people` who are known: None where a name is all it takes; `passkeys`: None where
    there are none. `fresh`: the templates are read at each use.
    """

    def __init__(
        self,
        options: ChatOptions,
        secret: bytes,
        version: str,
        templates: Sequence[str],
        fresh: bool,
    ) -> None:
        secret_fingerprint = fingerprint(secret)
        self.addresses = Addresses()
        self.hub = Hub(options, secret_fingerprint, about(options, version))
        are_chosen = options.identity == "members"
        keep = KEPT_SECONDS if are_chosen else options.nick_keep
        self.names = KeptNames(self.hub.log, keep, guests=not are_chosen)
        self.book = Book(self.hub.log, options.keepers.split(), options.groups_of_keepers())
        self.gate = Gate(self.hub, self.book, self.addresses, rule_of(options.allow, self.hub.now))
        self.hub.keeps, self.hub.recorded = self.book.holds, self.book.called
        self.acquaintances = Acquaintances(self.hub.log)
        self.keeping = Keeping(
            self.hub.log,
            self.book,
            derived_key(secret, "direct"),
            options.max_private_rooms,
            options.max_rooms,
            self.gate.find_out,
        )
        self.listing = Listing(self.hub, self.gate)
        self.badges: Badges | None = None
        self.people: People | None = None
        identity = identity_of(options)
        if identity is not None:
            # A badge of another kind is none.
            key = derived_key(secret, f"badge {options.identity}")
            self.badges = Badges(identity, Signer(key, badge_name(secret_fingerprint)))
            self.people = People(self.hub, self.gate, self.badges, options.login_url)
        self.passkeys = _passkeys(options, secret)
        self.signed_out: SignedOut | None = None
        if isinstance(identity, Members) and self.badges is not None:
            self.signed_out = SignedOut(identity, self.hub, options.url)
        followers = [each for each in (self.book, self.signed_out) if each is not None]
        self.following = Following(self.hub.log, followers)
        self.signer = Signer(derived_key(secret, "token"), token_name(secret_fingerprint))
        self._make_lookup = partial(make_lookup, templates, filesystem_checks=False)
        self._lookup = None if fresh else _loaded(self._make_lookup())

    @property
    def mako_lookup(self) -> TemplateLookup:
        """The templates, those of now where they are read at each use."""
        # Mako's own check does not see two changes within a second.
        return self._lookup or self._make_lookup()


def _passkeys(options: ChatOptions, secret: bytes) -> Passkeys | None:
    """Raises ValueError where there are to be some, and can be none."""
    _check_passkeys(options)
    if not options.passkeys:
        return None
    return Passkeys(options.url, options.title, Signer(derived_key(secret, "passkey"), ""))


def _check_passkeys(options: ChatOptions) -> None:
    if not options.passkeys:
        return
    if options.identity != "members":
        raise ValueError("chat.passkeys is for chat.identity = members")
    passkeys_host(options.url)


def check_chat(options: ChatOptions) -> None:
    """What ends the start of a chat with these, which were read. Raises ValueError."""
    rule_of(options.allow, time.monotonic)
    _check_passkeys(options)


def _loaded(lookup: TemplateLookup) -> TemplateLookup:
    """With all its templates, as they are now."""
    for folder in lookup.directories:
        for name in os.listdir(folder):
            lookup.get_template(f"/{name}")
    return lookup


def load_environment(global_conf: dict[str, Any], app_conf: dict[str, Any]) -> PylonsConfig:
    """The configuration. Ends the program with one line that names what is wrong."""
    try:
        return _loaded_environment(global_conf, app_conf)
    except ValueError as error:
        raise SystemExit(f"chatapp: {error}") from None
    except OSError as error:
        raise SystemExit(f"chatapp: {error.filename}: {error.strerror or error}") from None


def _loaded_environment(global_conf: dict[str, Any], app_conf: dict[str, Any]) -> PylonsConfig:
    app_conf = chat_settings(Ini(global_conf), app_conf)
    options = chat_options(app_conf)
    secret = find_secret(os.environ, options.secret_file, options.data)
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    public, templates = os.path.join(root, "public"), os.path.join(root, "templates")
    paths = {
        "root": root,
        "controllers": os.path.join(root, "controllers"),
        "static_files": public,
        "templates": [templates],
    }
    config = PylonsConfig()
    config.init_app(global_conf, app_conf, package="chatapp", paths=paths)
    config.update(session_options(secret, config))
    config["pylons.response_options"]["headers"] = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    fresh = config["chatapp.fresh"] = config["debug"] or not _RELOADING.isdisjoint(os.environ)
    version = version_of([public, templates])
    config["pylons.app_globals"] = Globals(options, secret, version, [templates], fresh)
    config["routes.map"] = make_map(config)
    return config


def _takes(name: str) -> bool:
    return name in _NAMES or name.startswith(_KNOWN)


def chat_settings(ini: Ini, given: dict[str, Any]) -> dict[str, Any]:
    """Those of a section of `ini`, of which PasteDeploy gave these. Raises OptionError."""
    ini.check(lambda name: _takes(name) or name in _SERVER_NAMES)
    return ini.settings("app", given, _takes)


def chat_options(app_conf: dict[str, Any]) -> ChatOptions:
    """The options among the settings of a section. Raises OptionError."""
    for name in app_conf:
        if not name.startswith((_PREFIX, *_KNOWN)):
            raise unknown_option("option", name, _NAMES, near=_PREFIX + name)
    try:
        asbool(app_conf.get("debug", False))
    except ValueError as error:
        raise OptionError(f"debug: {error}") from None
    check_session(app_conf)
    settings = {name: text for name, text in app_conf.items() if name.startswith(_PREFIX)}
    return parse_options(settings, ChatOptions, "option", _PREFIX)
