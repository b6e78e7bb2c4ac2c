"""Flask with SQLAlchemy's scoped_session, which is a threading.local, on SQLite in SITE_FOLDER."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

from flask import Flask, Response, jsonify, request, stream_with_context
from sqlalchemy import String, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

from cogen.core.pubsub import PublishSubscribeQueue
from cogen.web import wait
from tests.support.gate import Gate

engine = create_engine(
    f"sqlite:///{os.environ['SITE_FOLDER']}/db.sqlite3", connect_args={"timeout": 20}, pool_size=30
)
Session = scoped_session(sessionmaker(engine))
application = Flask(__name__)
gate = Gate()
news = PublishSubscribeQueue()


@event.listens_for(engine, "connect")
def _prepare(connection, record) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")


class Base(DeclarativeBase):
    """Of all tables."""


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    author: Mapped[str] = mapped_column(String(50))
    text: Mapped[str] = mapped_column(String(200))


Base.metadata.create_all(engine)


@application.teardown_appcontext
def remove_session(error: BaseException | None) -> None:
    Session.remove()


def _notes(author: str) -> list[str]:
    return list(Session.scalars(select(Note.text).where(Note.author == author)))


def _place() -> tuple[int, int]:
    """The thread, and its session."""
    return threading.get_ident(), id(Session())


@application.post("/write/<author>")
def write(author: str) -> Response:
    Session.add(Note(author=author, text=request.form["text"]))
    Session.commit()
    return jsonify(_notes(author))


@application.get("/notes/<author>")
def notes(author: str) -> Response:
    return jsonify(_notes(author))


@application.get("/blocks/<author>")
def blocks(author: str) -> Response:
    Session.info["author"] = author
    gate.wait()
    return jsonify([Session.info["author"], _notes(author)])


@application.get("/waits/<author>")
def waits(author: str) -> Response:
    """Waits with a session that it has written its name into."""
    Session.info["author"] = author
    before = _place()
    wait(news.subscribe)
    (said,) = wait(news.fetch)
    return jsonify([Session.info["author"], _notes(author), said, _place() == before])


@application.get("/export")
def export() -> Response:
    """A row for each note, and where it was made."""

    def rows() -> Iterator[str]:
        for note in Session.scalars(select(Note).execution_options(yield_per=2)):
            thread, session = _place()
            yield f"{note.author},{note.text},{thread},{session}".ljust(row) + "\n"

    row = int(request.args.get("row", "0"))
    return Response(stream_with_context(rows()), mimetype="text/csv")


# What the test does in between.


@application.get("/reached/<int:count>")
def reached(count: int) -> str:
    gate.reached(count)
    return "reached"


@application.get("/opens")
def opens() -> str:
    gate.open()
    return "open"


@application.get("/waiting")
def waiting() -> str:
    return str(request.environ["cogen.on_loop"](news.statistics)["fetchers"])


@application.get("/tell")
def tell() -> str:
    return str(wait(news.publish, "it rains"))


@application.get("/sessions")
def sessions() -> str:
    """Connections that are not in the pool, and whether this thread has a session left over."""
    return f"{engine.pool.checkedout()} {Session.registry.has()}"
