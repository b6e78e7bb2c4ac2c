"""Texts: translated, rendered by each engine, kept in a cache, kept for the next page."""

import itertools
import json

from pylons import request, response
from pylons import tmpl_context as c
from pylons.controllers import WSGIController
from pylons.decorators.cache import beaker_cache
from pylons.i18n import (
    N_,
    LanguageError,
    _,
    add_fallback,
    get_lang,
    lazy_ugettext,
    lazy_ungettext,
    set_lang,
    ungettext,
)
from pylons.pylonslib import Flash
from pylons.templating import (
    render_genshi,
    render_jinja2,
    render_mako,
    render_mako_def,
)

GREETING = lazy_ugettext("Good day")
FILES = lazy_ungettext("%d file", "%d files", 2)
MARKED = N_("Good day")
calls = itertools.count(1)
flash = Flash()


class TextsController(WSGIController):
    def flash(self):
        arguments = request.GET.getall("a")
        flash(arguments[0], *arguments[1:2], ignore_duplicate=len(arguments) > 2)
        return "kept"

    def messages(self):
        response.content_type = "application/json"
        taken = flash.pop_messages()
        return json.dumps([[each.category, str(each), each.__html__()] for each in taken])

    def translated(self, id="de"):
        try:
            set_lang(id.split(",") if "," in id else id)
            if "fallback" in request.GET:
                add_fallback(request.GET["fallback"])
        except LanguageError as error:
            return f"LanguageError: {error}"
        files = [ungettext("%d file", "%d files", n) % n for n in (1, 2)]
        return "|".join([_("Good day"), *files, str(GREETING), FILES % 2, MARKED, str(get_lang())])

    def default(self):
        return f"{_('Good day')} {get_lang()}"

    def wait_between(self, id):
        set_lang(id)
        yield ""
        yield _("Good day")

    def languages(self):
        return " ".join(request.languages)

    def render(self, id):
        engine = {"mako": render_mako, "jinja2": render_jinja2, "genshi": render_genshi}[id]
        c.name = "<you>"
        set_lang(request.GET.get("lang"))
        return engine(request.GET.get("name", f"greeting.{id}"), {"part": "<b>"})

    def render_kept(self, id):
        c.name = request.GET["name"]
        return render_mako("greeting.mako", {"part": ""}, cache_key=id, cache_type="memory")

    def render_forever(self):
        c.name = request.GET["name"]
        return render_mako("greeting.mako", {"part": ""}, cache_expire="never")

    def render_def(self, id):
        return render_mako_def("greeting.mako", id, who="<all>")

    @beaker_cache(type="memory", cache_headers=("Content-Type", "X-Kept"))
    def kept(self, id="0"):
        response.headers["X-Kept"] = "yes"
        response.headers["X-Lost"] = "yes"
        response.status = 203
        return f"{id} {next(calls)}"

    @beaker_cache(type="memory", query_args=True)
    def kept_query(self):
        return f"{next(calls)}"

    @beaker_cache(type="memory", query_args=True)
    def kept_page(self, id, part="1"):
        return f"page {id} {part}"

    @beaker_cache(type="memory", key=["part", "id"], query_args=True)
    def kept_part(self, id, part="1"):
        return f"page {id} {request.GET.get('id')}"

    @beaker_cache(type="memory", key="id")
    def kept_id(self, id, other="x"):
        return f"{id} {next(calls)}"

    @beaker_cache(type="memory", key=None, cache_response=False)
    def kept_once(self, id):
        response.headers["X-Made"] = "now"
        return f"{id} {next(calls)}"

    @beaker_cache(type="memory", expire=3600, invalidate_on_startup=True)
    def kept_since(self):
        return f"{next(calls)}"

    @beaker_cache(type="memory")
    def kept_written(self):
        response.write(f"written {next(calls)}")

    @beaker_cache(type="memory")
    def kept_stream(self):
        yield "x"

    @beaker_cache(type="memory", key="nothing")
    def kept_nothing(self):
        return "x"

    @beaker_cache(type="file", key=None)
    def kept_in_file(self):
        number = next(calls)
        if request.GET.get("fail"):
            raise ValueError("of the action itself")
        return f"{number}"
