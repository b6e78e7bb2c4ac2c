"""What `paster setup-app development.ini` does."""

import logging

from wiki.config.environment import load_environment
from wiki.model import Base, Page, Session, User

log = logging.getLogger(__name__)


def setup_app(command, conf, vars):
    """Make the tables, the account that the ini names, and a first page."""
    config = load_environment(conf.global_conf, conf.local_conf)
    Base.metadata.create_all(bind=Session.bind)
    User.add(config["wiki.name"], config["wiki.password"])
    if Page.by_title("FrontPage") is None:
        text = "Welcome. Write a SecondPage, or look at all pages."
        Page.save("FrontPage", text, config["wiki.name"])
    log.info("the wiki of %s is set up", conf.filename)
