from cogen.testing import WaitingApp
from webtest import TestApp

from wiki.model import Page
from wiki.tests import TestController, url


class TestPagesController(TestController):
    def edit(self, title, content):
        form = self.app.get(url("edit", title=title)).forms[2]
        form["content"] = content
        return form.submit()

    def test_home_is_the_front_page(self):
        page = self.app.get(url("home")).follow()
        page.mustcontain("<h1>FrontPage</h1>", "Saved by ann at ")

    def test_wiki_words_are_links_and_the_rest_is_escaped(self):
        page = self.app.get(url("show", title="FrontPage"))
        page.mustcontain('<p>Welcome to <a href="/page/SecondPage">SecondPage</a>.</p>')
        page.mustcontain("<p>&lt;b&gt;100%&lt;/b&gt;</p>")

    def test_a_page_that_is_not_there_can_be_written(self):
        page = self.app.get(url("show", title="SecondPage"), status=404)
        page.mustcontain("There is no page SecondPage yet.", "/page/SecondPage/edit")

    def test_to_write_takes_an_account(self):
        page = self.app.get(url("edit", title="FrontPage"), status=302).follow()
        page.mustcontain("Log in to write.", "<h1>Log in</h1>")
        self.app.post(url("save", title="FrontPage"), {"content": "x"}, status=302)
        self.assertNotEqual("x", Page.by_title("FrontPage").content)

    def test_a_page_is_saved_with_a_message_that_is_shown_once(self):
        self.log_in()
        page = self.edit("Ärger", "Néw text\n").follow()
        page.mustcontain("Ärger is saved.", "<p>Néw text</p>")
        self.assertNotIn("is saved", self.app.get(url("show", title="Ärger")))
        self.assertEqual("ann", Page.by_title("Ärger").author)

    def test_an_empty_page_is_not_saved(self):
        self.log_in()
        self.edit("FrontPage", " ").follow().mustcontain("A page has some text")

    def test_a_form_of_another_site_is_refused(self):
        self.log_in()
        self.app.post(url("save", title="FrontPage"), {"content": "x"}, status=403)

    def test_a_page_is_deleted(self):
        self.log_in()
        form = self.app.get(url("show", title="FrontPage")).forms[2]
        form.submit().follow().mustcontain("FrontPage is deleted.", "0 pages")
        self.app.get(url("show", title="FrontPage"), status=404)

    def test_pages_are_listed_and_searched(self):
        Page.save("Other", "Ninety_nine", "ann")
        self.app.get(url("pages")).mustcontain("2 pages", ">FrontPage<", ">Other<")
        for text, there, not_there in (
            ("welcome", "FrontPage", "Other"),
            ("oth", "Other", "FrontPage"),
            ("100%", "FrontPage", "Other"),
            ("y_n", "Other", "FrontPage"),
        ):
            page = self.app.get(url("pages"), {"q": text})
            page.mustcontain("1 page<", f">{there}<", no=[f">{not_there}<"])

    def test_texts_are_in_the_language_of_the_browser(self):
        titles = {"de-AT": "Alle Seiten", "fr": "Toutes les pages", "en, de": "All pages"}
        for language, text in titles.items():
            page = self.app.get(url("pages"), headers={"Accept-Language": language})
            page.mustcontain(f"<h1>{text}</h1>", f'<html lang="{language[:2]}">')


class TestEditorsController(TestController):
    def setUp(self):
        super().setUp()
        waiting = self.enterContext(WaitingApp(self.wsgiapp))
        self.ann, self.bob = TestApp(waiting), TestApp(waiting)
        self.log_in(self.ann)
        self.addCleanup(self.wsgiapp.config["pylons.app_globals"].editing.end, "FrontPage", "ann")

    def editors(self, *known):
        query = "&".join(f"known={name}" for name in known)
        return self.bob.get(f"{url('editors', title='FrontPage')}?{query}").json["editors"]

    def test_who_edits_is_told_at_once_to_who_does_not_know(self):
        self.ann.get(url("edit", title="FrontPage"))
        self.assertEqual(["ann"], self.editors())
        form = self.ann.get(url("edit", title="FrontPage")).forms[2]
        form.submit().follow()
        self.assertEqual([], self.editors("ann"))

    def test_a_poll_ends_without_a_change(self):
        self.assertEqual([], self.editors())

    def test_another_server_says_that_it_cannot_wait(self):
        self.app.get(url("editors", title="FrontPage"), status=501)
