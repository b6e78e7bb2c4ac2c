"""Matches are remembered where method and path decide, and asked for anew where they do not."""

import unittest

from routes import Mapper
from webob.exc import HTTPMethodNotAllowed, HTTPNotFound

from pylons.routing import match_route


def environ(path, method="GET", **more):
    return {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_HOST": "a.test", **more}


class MatchTests(unittest.TestCase):
    def setUp(self):
        self.mapper = Mapper(explicit=True)
        self.mapper.minimization = False
        self.mapper.connect("/a/{id}", controller="a", action="get", conditions={"method": ["GET"]})
        self.mapper.connect("/a/{id}", controller="a", action="put", conditions={"method": ["PUT"]})

    def test_the_second_time_it_is_the_same(self):
        for _ in range(2):
            found = match_route(self.mapper, environ("/a/1"))
            self.assertEqual({"controller": "a", "action": "get", "id": "1"}, found)
            self.assertEqual("put", match_route(self.mapper, environ("/a/1", "PUT"))["action"])
            self.assertEqual("2", match_route(self.mapper, environ("/a/2"))["id"])

    def test_what_a_request_does_to_its_values_is_its_own(self):
        match_route(self.mapper, environ("/a/1"))["id"] = "changed"
        self.assertEqual("1", match_route(self.mapper, environ("/a/1"))["id"])

    def test_what_is_not_found_is_not_remembered(self):
        for _ in range(2):
            with self.assertRaises(HTTPNotFound):
                match_route(self.mapper, environ("/b"))
            with self.assertRaises(HTTPMethodNotAllowed):
                match_route(self.mapper, environ("/a/1", "POST"))
        self.mapper.connect("/b", controller="b", action="index")
        self.mapper.create_regs()
        self.assertEqual("b", match_route(self.mapper, environ("/b"))["controller"])

    def test_strangers_cannot_fill_the_memory(self):
        for number in range(2000):
            self.assertEqual(str(number), match_route(self.mapper, environ(f"/a/{number}"))["id"])

    def test_a_condition_by_function_is_asked_each_time(self):
        asked = []

        def odd(environ, values):
            asked.append(environ["PATH_INFO"])
            return True

        self.mapper.connect("/f", controller="f", action="index", conditions={"function": odd})
        self.mapper.create_regs()
        for count in (1, 2):
            self.assertEqual("f", match_route(self.mapper, environ("/f"))["controller"])
            self.assertEqual(["/f"] * count, asked)

    def test_so_is_the_sub_domain(self):
        self.mapper.sub_domains = True
        self.mapper.connect("/s", controller="s", action="x", conditions={"sub_domain": ["one"]})
        found = match_route(self.mapper, environ("/s", HTTP_HOST="one.test.org"))
        self.assertEqual("s", found["controller"])
        with self.assertRaises(HTTPNotFound):
            match_route(self.mapper, environ("/s", HTTP_HOST="two.test.org"))
