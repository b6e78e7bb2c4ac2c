"""Bytes of HTTP/1.1, without I/O: request heads, chunked bodies, environ, response heads."""
