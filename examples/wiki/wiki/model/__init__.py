"""What the wiki keeps: pages, and who may write them."""

import hashlib
import hmac
import os
from datetime import UTC, datetime

from sqlalchemy import LargeBinary, String, Text, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from wiki.model.meta import Base, Session

__all__ = ["Base", "Page", "Session", "User", "init_model"]


def init_model(engine):
    """Let the session use `engine`."""
    Session.configure(bind=engine)


class Page(Base):
    """A page, as it was saved last."""

    __tablename__ = "pages"

    title: Mapped[str] = mapped_column(String(80), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(80))
    saved: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))

    @classmethod
    def by_title(cls, title):
        """The page, or None."""
        return Session.get(cls, title)

    @classmethod
    def all(cls, text=""):
        """Those that have `text` in their title or content, by their titles."""
        found = select(cls).order_by(cls.title)
        if text:
            has = (column.icontains(text, autoescape=True) for column in (cls.title, cls.content))
            found = found.where(or_(*has))
        return list(Session.scalars(found))

    @classmethod
    def save(cls, title, content, author):
        """Make the page, or another one of it."""
        saved = datetime.now(UTC)
        Session.merge(cls(title=title, content=content, author=author, saved=saved))
        Session.commit()


class User(Base):
    """Who may write. The password itself is not kept."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    digest: Mapped[bytes] = mapped_column(LargeBinary(64))

    @classmethod
    def add(cls, name, password):
        """Make the account, or give it another password."""
        salt = os.urandom(16)
        Session.merge(cls(name=name, salt=salt, digest=_digest(password, salt)))
        Session.commit()

    @classmethod
    def may_log_in(cls, name, password):
        """Whether there is an account of that name and password; it takes as long if not."""
        user = Session.get(cls, name)
        salt, digest = (user.salt, user.digest) if user else (b"", b"")
        return hmac.compare_digest(_digest(password, salt), digest)


def _digest(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
