from wiki.tests import TestController, url


class TestAccountController(TestController):
    def test_who_logs_in_may_write_until_they_log_out(self):
        page = self.log_in().follow().follow()
        page.mustcontain("ann <button>Log out</button>")
        self.app.get(url("edit", title="FrontPage")).mustcontain("<h1>Edit FrontPage</h1>")
        page.forms[1].submit().follow().follow().mustcontain("You are logged out.")
        self.app.get(url("edit", title="FrontPage"), status=302)

    def test_a_wrong_password_or_name_is_refused(self):
        for name, password in (("ann", "x"), ("eve", "secret"), ("", "")):
            page = self.log_in(name=name, password=password)
            page.mustcontain("There is no account of that name and password.")
            self.app.get(url("edit", title="FrontPage"), status=302)

    def test_a_session_has_another_key_after_it(self):
        self.app.get(url("login"))
        before = self.app.cookies["wiki"]
        self.log_in()
        self.assertNotEqual(before, self.app.cookies["wiki"])

    def test_a_link_of_another_site_logs_nobody_out(self):
        self.log_in()
        self.app.get(url("logout"), status=405)
        self.app.post(url("logout"), status=403)
