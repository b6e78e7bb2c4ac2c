"""One request and its application: on the loop, in a greenlet, or in a thread of the pool."""
