"""The hub: which sockets are here and in which rooms, and delivery to them.

The registry is the one truth of which socket is in which conversation's room. What an event means to its recipients is
known in `room.py` alone; `sequencer.py` knows numbers, `feed.py` channels. Nothing here calls an action: a room that
needs help says so through `RoomCallbacks`, which the gateway passes in. Invariants:

- An event is encoded and framed once, and the same bytes go to every socket of the room.
- In a room, events with a `change_seq` are delivered in its order without a gap; what is missing is waited for, and if
  it does not come the room's sockets are asked to sync. Events without one (typing, receipts) are delivered at once.
- A connection that is joining is paused: its events wait until its `ready` or `conversation:new` is out, and those that
  the state already contained are dropped.
- Everything that a socket is sent goes through its `Connection`; only a room's messages go straight to the transport.
"""
