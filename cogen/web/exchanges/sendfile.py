"""A file on its way to a client by sendfile(2): none of its bytes passes through Python.

The socket is the transport's. It is written to beside that only while the transport itself has
nothing to write, and watched under a number of its own, as loops guard those of their transports.
"""

import logging
import os
import sys
from typing import Final

from cogen.core.events import PARKED
from cogen.core.schedulers import Waiter
from cogen.web.exchanges.answer import Answer, Drain
from cogen.web.exchanges.files import FileWrapper
from cogen.web.exchanges.front import Front

__all__ = ["SendFile", "sendfile"]

log = logging.getLogger(__name__)

_POSSIBLE: Final = sys.platform == "linux"
# Bytes that are sent before others have their turn.
_TURN: Final = 1 << 20


def sendfile(front: Front, answer: Answer, file: FileWrapper) -> "SendFile | None":
    """What sends `file` as the whole body of `answer`, of which nothing was sent; None: read it."""
    length = file.length
    if not (_POSSIBLE and length) or answer.bodyless or answer.head_sent:
        return None
    number = front.idle_socket()
    if answer.head.content_length not in (None, length) or number < 0:
        return None
    try:
        # When the transport closes, its number is soon that of another's socket.
        own = os.dup(number)
    except OSError:  # there is none to spare
        return None
    return SendFile(front, answer, file, own)


class SendFile(Drain):
    """Send the head of `answer` and then `file` to the socket `number`, which it closes.

    The result is None, also where the file turns out to be shorter, or cannot be read: what is
    missing of the answer tells. `front.unsent` is what is left at any moment.
    """

    __slots__ = ("_answer", "_at", "_file", "_head", "_socket")

    def __init__(self, front: Front, answer: Answer, file: FileWrapper, number: int) -> None:
        super().__init__(front)
        self._answer = answer
        self._file = file.fileno()
        self._at = file.position()
        self._socket = number
        self._head = answer.opening()
        front.unsent = file.length or 0
        file.skip()

    def run(self, waiter: Waiter) -> object:
        front = self._front
        if self._send():
            os.close(self._socket)
            front.unsent = 0
            return None
        front.drainer = waiter
        front.pause_writing()
        waiter.scheduler.loop.add_writer(self._socket, self._go_on)
        return PARKED

    def undo(self, waiter: Waiter) -> None:
        self._front.drainer = None
        self._end(waiter)

    def _go_on(self) -> None:
        """The client has taken some of it."""
        waiter = self._front.drainer
        if waiter is not None and self._send():
            self._end(waiter)

    def _end(self, waiter: Waiter) -> None:
        waiter.scheduler.loop.remove_writer(self._socket)
        os.close(self._socket)
        self._front.unsent = 0
        self._front.resume_writing()

    def _send(self) -> bool:
        """Send what the client takes now, to the end of a turn; whether that is all."""
        turn = _TURN
        try:
            while self._head:
                self._head = self._head[os.write(self._socket, self._head) :]
            while turn > 0 and self._front.unsent:
                sent = os.sendfile(
                    self._socket, self._file, self._at, min(self._front.unsent, turn)
                )
                if not sent:
                    break  # it was cut off meanwhile
                turn -= sent
                self._sent(sent)
        except BlockingIOError:
            return False
        except ConnectionError:
            # The transport, which neither reads nor writes, would not see it.
            self._front.cut()
            return False
        except OSError as error:
            log.error("a file that was to be sent cannot be read: %s", error)
        else:
            return turn > 0
        return True

    def _sent(self, count: int) -> None:
        self._at += count
        self._front.unsent -= count
        answer = self._answer
        answer.sent += count
        if answer.left is not None:
            answer.left -= count
