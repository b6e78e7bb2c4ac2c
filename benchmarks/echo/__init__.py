"""A line echo server, beside the same on asyncio's streams, trio and gevent."""
