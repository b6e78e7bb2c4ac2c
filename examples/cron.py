"""Runs commands at their times, as cron does. A stop ends those that still run.

python examples/cron.py TABLE

A line of TABLE is the second, minute, hour, day, month and weekday (0 is Sunday), and a command:
`0 */5 8-17 * * 1-5 make backup` is every five minutes of office hours.
"""

import asyncio
import sys
from datetime import datetime, timedelta

from cogen.core.events import Sleep
from cogen.core.groups import TaskGroup
from cogen.core.schedulers import Scheduler


def is_due(fields, moment):
    return all(map(matches, fields, map(int, moment.strftime("%S %M %H %d %m %w").split())))


def matches(field, number):
    """Whether `number` is in a field such as `*`, `*/5`, `8-17` or `0,30`."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.replace("*", "0-59").partition("-")
        if int(first) <= number <= int(last or first) and not number % int(step or 1):
            return True
    return False


def cron(jobs):
    moment = datetime.now().replace(microsecond=0)
    with TaskGroup() as group:
        while True:
            moment += timedelta(seconds=1)
            yield Sleep(moment)
            for *fields, command in jobs:
                if is_due(fields, moment):
                    group.start(run, command)


def run(command):
    process = yield asyncio.create_subprocess_shell(command)
    try:
        status = yield process.wait()
        print(f"{command}: status {status}", flush=True)
    finally:
        if process.returncode is None:
            process.terminate()


with open(sys.argv[1]) as table:
    jobs = [line.strip().split(maxsplit=6) for line in table if line.strip()]
scheduler = Scheduler()
scheduler.add(cron, (jobs,))
scheduler.run()
