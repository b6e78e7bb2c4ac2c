"""SQLAlchemy's session, and the base of the tables."""

from sqlalchemy.orm import DeclarativeBase, scoped_session, sessionmaker

__all__ = ["Base", "Session"]

Session = scoped_session(sessionmaker(expire_on_commit=False))


class Base(DeclarativeBase):
    """The base of every class that has a table."""
