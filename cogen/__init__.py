"""cogen: coroutines (`cogen.core`) and a WSGI server whose applications can wait (`cogen.web`)."""
