import logging

from hypothesis import settings

# How long a step or an example takes says nothing on a machine that does other things as well.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# asyncio's debug mode, in which unittest runs its loop, keeps the stack of every task and future:
# a step that makes many is over its 0.1 s.
logging.getLogger("asyncio").addFilter(lambda record: not str(record.msg).startswith("Executing"))
