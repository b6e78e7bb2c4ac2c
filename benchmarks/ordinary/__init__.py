"""Ordinary work: what a request costs that waits for nothing, beside other servers of WSGI."""
