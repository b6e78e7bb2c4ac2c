"""An HTTP/1.1 WSGI server on `cogen.core` whose applications can wait."""
