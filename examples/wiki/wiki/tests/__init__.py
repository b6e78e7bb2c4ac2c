"""The tests: `nosetests` in the folder of test.ini."""

import os
from unittest import TestCase

from paste.deploy import loadapp
from pylons import url
from routes.util import URLGenerator
from webtest import TestApp

from wiki.model import Base, Page, Session, User

__all__ = ["TestController", "url"]

FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class TestController(TestCase):
    """Has the application as `self.app`, with an account and a page; `url` makes its URLs."""

    @classmethod
    def setUpClass(cls):
        cls.wsgiapp = loadapp("config:test.ini", relative_to=FOLDER)
        url._push_object(URLGenerator(cls.wsgiapp.config["routes.map"], {}))

    @classmethod
    def tearDownClass(cls):
        url._pop_object()
        Session.remove()
        Session.session_factory.kw["bind"].dispose()

    def setUp(self):
        Base.metadata.create_all(bind=Session.bind)
        self.addCleanup(Base.metadata.drop_all, bind=Session.bind)
        self.addCleanup(Session.remove)
        User.add("ann", "secret")
        User.add("bob", "secret")
        Page.save("FrontPage", "Welcome to SecondPage.\n\n<b>100%</b>", "ann")
        self.app = TestApp(self.wsgiapp)

    def log_in(self, app=None, name="ann", password="secret"):
        """What the form answers."""
        form = (app or self.app).get(url("login")).forms[1]
        form["name"], form["password"] = name, password
        return form.submit()
