"""A page that asks Redis and a weather service at once, and waits for both two seconds at most."""

import asyncio
import os

import aiohttp
from flask import Flask
from redis.asyncio import Redis

from cogen.core.events import OperationTimeout
from cogen.web import wait
from cogen.web.life import Life, register

app = Flask(__name__)
redis = Redis.from_url(os.environ["REDIS_URL"])
register(app, Life(stop=redis.aclose))


async def weather(city):
    async with aiohttp.ClientSession(os.environ["WEATHER_URL"]) as session:
        answer = await session.get(f"/{city}")
        return await answer.text()


@app.get("/<city>")
def page(city):
    try:
        visits, sky = wait(asyncio.gather, redis.incr(city), weather(city), timeout=2)
    except OperationTimeout:
        return "too slow\n", 504
    return f"{sky} in {city}, visit {visits}\n"
