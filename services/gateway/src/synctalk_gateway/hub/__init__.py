"""Who is where, and delivery: the heart of the gateway.

The hub is the one truth of which socket is in which conversation's room. It knows nothing of what events mean beyond
their order and their addressees. Invariants:

- An event is encoded and framed once, and the same bytes go to every socket of the room.
- In a room, events with a `change_seq` are delivered in its order without a gap; what is missing is waited for, and if
  it does not come the room's sockets are told to sync. Events without one (typing, receipts) are delivered at once.
- A connection that is joining is held: its events wait until its `ready` or `conversation:new` is out, and those that
  the state already contained are dropped.
"""
