"""Socket.IO v4: Engine.IO over websockets (picows) and polling, Socket.IO packets on top.

`server` has the Socket.IO packets and calls the application's handlers; `engine` has the sessions and decides who may
open one; `engine_socket` is one session, on a `websocket` or `polling`. A websocket is written to directly and read no
faster than its events are handled. What a socket sends is limited, queued in one bounded inbox and handled in order.
"""
