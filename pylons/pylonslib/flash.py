"""Messages for the next page: an action sets one and redirects, and the page shows it once.

An application makes one `Flash` in its helpers, `flash = Flash()`; an action calls
`h.flash('Saved.')`, and the template shows `h.flash.pop_messages()`.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from pylons._proxy import session

__all__ = ["Flash", "Message"]


class Message:
    """A message with its `category`; as text it is `message`, in a template escaped."""

    def __init__(self, category: str, message: str) -> None:
        self.category = category
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __html__(self) -> Markup:
        return escape(self.message)


class Flash:
    """Messages kept in the session until a page takes them."""

    categories: Sequence[str] | None = ("warning", "notice", "error", "success")
    """Categories that a message may have; None: any."""
    default_category: str = "notice"
    """The category of a message that names none."""

    def __init__(
        self,
        session_key: str = "flash",
        categories: Sequence[str] | None = None,
        default_category: str | None = None,
    ) -> None:
        """Keep messages at `session[session_key]`. Raises ValueError for an unknown default."""
        self.session_key = session_key
        if categories is not None:
            self.categories = categories
        if default_category is not None:
            self.default_category = default_category
        self._check(self.default_category)

    def __call__(
        self, message: str, category: str | None = None, ignore_duplicate: bool = False
    ) -> None:
        """Add a message, which is saved at once. Raises ValueError for an unknown category.

        With `ignore_duplicate` the same text is not added again, but takes the new category.
        """
        category = category or self.default_category
        self._check(category)
        # Tuples, or JSON's lists: what every serializer of sessions can keep.
        messages = list(session.get(self.session_key, ()))
        known = [text for _, text in messages]
        if ignore_duplicate and message in known:
            messages[known.index(message)] = (category, message)
        else:
            messages.append((category, message))
        session[self.session_key] = messages
        session.save()

    def pop_messages(self) -> list[Message]:
        """All messages in their order; the session has none from now on."""
        messages = session.pop(self.session_key, ())
        if messages:
            session.save()
        return [Message(category, message) for category, message in messages]

    def _check(self, category: str) -> None:
        if self.categories and category not in self.categories:
            raise ValueError(
                f"flash: {category!r} is no category: take one of {', '.join(self.categories)}"
            )
