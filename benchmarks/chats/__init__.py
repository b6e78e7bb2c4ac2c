"""The same chat, written for each server as its own users would write it.

GET  /chat/pull/lobby?client=TAB              answers at once with the cursor
GET  /chat/pull/lobby?client=TAB&since=CURSOR  waits for news, at most POLL_SECONDS
POST /chat/push/lobby                          {"text"} -> {"room", "seq"}
GET  /probe                                    something else
"""
