"""The contract's application in Falcon."""

from __future__ import annotations

import falcon

application = falcon.App(media_type=falcon.MEDIA_TEXT)


class Hello:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.text = f"hello {request.get_param('name', default='world')}"

    on_head = on_get


class Form:
    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        form = request.get_media()
        response.text = f"{form['name']} {form['text']}"


class Upload:
    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        seen = {}
        for part in request.get_media():
            if part.name == "file":
                seen["file"] = f"{part.filename} {len(part.stream.read())}"
            else:
                seen[part.name] = part.get_text()
        response.text = f"{seen['file']} {seen['note']}"


class Stream:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.stream = (b"line %d\n" % number for number in range(1000))


class Redirect:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        raise falcon.HTTPFound("/hello")


class Cookie:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.text = request.cookies.get("seen", "never")
        response.set_cookie("seen", "once", secure=False)


class Error:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        raise ValueError("secret")


class Large:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.content_type = falcon.MEDIA_TEXT
        response.data = b"x" * 5_000_000


class Length:
    def on_post(self, request: falcon.Request, response: falcon.Response) -> None:
        response.text = str(len(request.bounded_stream.read()))


for _path, _resource in {
    "/hello": Hello(), "/form": Form(), "/upload": Upload(), "/stream": Stream(),
    "/redirect": Redirect(), "/cookie": Cookie(), "/error": Error(), "/large": Large(),
    "/length": Length(),
}.items():  # fmt: skip
    application.add_route(_path, _resource)
