"""The closed loop of several servers, in turns of half a second.

What slows the machine for a while slows all of them, so a ratio of two does not hang on the minute.
A server whose turn it is not holds its polls, for as long as all turns take, and has nothing to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from benchmarks.generator import Generator
from benchmarks.scenario import Plan, Run, Say, Scenario, faults
from benchmarks.servers import Server

__all__ = ["HELD_SECONDS", "in_turns"]

TURN_SECONDS = 0.5
HELD_SECONDS = 300  # the most that the chat takes


async def in_turns(
    servers: Sequence[Server], clients: int, plan: Plan, where: set[int], say: Say
) -> list[Run]:
    """One run for each of `servers`, with so many clients each, on the cores `where`."""
    async with contextlib.AsyncExitStack() as stack:
        scenarios = []
        for server in servers:
            load = Generator(server.port, server.target.wire, clients, where)
            await stack.enter_async_context(load)
            result = Run(server.target.name, clients)
            scenario = Scenario(server, load, result, plan, _named(say, server))
            stack.callback(scenario.publisher.close)
            scenarios.append(scenario)
            with faults(result):
                await scenario.start()
                await scenario.connect()
                await scenario.warm_up()
        await _take_turns(scenarios)
        for scenario in scenarios:
            if not scenario.result.error:
                with faults(scenario.result):
                    await scenario.closed_loop()
    return [scenario.result for scenario in scenarios]


async def _take_turns(scenarios: Sequence[Scenario]) -> None:
    """Forth and back, so that what grows slower in time weighs on all alike."""
    going = list(scenarios)
    while going := [each for each in going if not (each.result.error or each.has_turned)]:
        for scenario in going:
            with faults(scenario.result):
                await scenario.turn(TURN_SECONDS)
        going.reverse()


def _named(say: Say, server: Server) -> Say:
    return lambda text: say(f"{server.target.name}: {text}")
