"""Socket.IO v4 over Engine.IO v4: python-socketio and python-engineio, on picows' websockets.

The libraries do the handshake, polling, the upgrade and the packets. What costs per delivery or can be abused is ours:
a websocket is written to directly, each socket has one bounded line of events in order, pings are timers and not tasks,
refused sockets are closed, binary packets and reserved event names never reach a handler.
"""
