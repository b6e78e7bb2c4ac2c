"""The chat's URLs."""

from routes import Mapper

from pylons.configuration import PylonsConfig

__all__ = ["make_map"]


def make_map(config: PylonsConfig) -> Mapper:
    """The mapper; the poll's routes come first, since most requests are polls."""
    mapper = Mapper(directory=config["pylons.paths"]["controllers"], explicit=True)
    mapper.minimization = False
    get, post = {"method": ["GET"]}, {"method": ["POST"]}

    def connect(path: str, action: str, conditions: dict[str, list[str]]) -> None:
        mapper.connect(path, controller="chat", action=action, conditions=conditions)

    connect("/chat/pull", "pull", get)
    connect("/chat/pull/{rooms}", "pull", get)
    connect("/chat/pull", "pull", post)
    connect("/chat/push", "push", post)
    connect("/chat/push/{room}", "push", post)
    connect("/chat/history/{room}", "history", get)
    connect("/chat/people/{room}", "people", get)
    connect("/chat/nick", "nick", get)
    connect("/chat/nick", "rename", post)
    connect("/chat/nick", "leave", {"method": ["DELETE"]})
    mapper.connect("/chat/device", controller="device", action="link", conditions=post)
    for path, action, conditions in (
        ("/chat/rooms", "index", get),
        ("/chat/rooms", "make", post),
        ("/chat/direct", "direct", post),
        ("/chat/rooms/{room}", "show", get),
        ("/chat/rooms/{room}", "settle", post),
        ("/chat/rooms/{room}/members", "members", post),
    ):
        mapper.connect(path, controller="rooms", action=action, conditions=conditions)
    for action in ("mute", "unmute", "ban", "unban", "sign_out", "role"):
        path = f"/chat/{action.replace('_', '-')}"
        mapper.connect(path, controller="keeper", action=action, conditions=post)
    mapper.connect("/chat/remove/{room}", controller="keeper", action="remove", conditions=post)
    mapper.connect(
        "/chat/message/{room}/{seq}", controller="keeper", action="message", conditions=get
    )
    for action in ("deeds", "standings"):
        mapper.connect(f"/chat/{action}", controller="keeper", action=action, conditions=get)
    mapper.connect("/chat/me", controller="me", action="show", conditions=get)
    mapper.connect("/chat/me/devices", controller="me", action="devices", conditions=post)
    mapper.connect("/chat/me/passkeys", controller="passkeys", action="show", conditions=get)
    mapper.connect("/chat/me/passkeys", controller="passkeys", action="add", conditions=post)
    mapper.connect("/chat/sign-in", controller="passkeys", action="sign_in", conditions=post)
    mapper.connect("/device/{code}", controller="device", action="show", conditions=get)
    mapper.connect("/device/{code}", controller="device", action="use", conditions=post)
    mapper.connect("/", controller="page", action="index", conditions=get)
    mapper.connect("/error/document", controller="error", action="document")
    return mapper
