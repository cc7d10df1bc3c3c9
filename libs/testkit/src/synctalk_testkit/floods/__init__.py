"""Floods: what one machine without good intentions can do to each entrance, as fast as it can.

`python -m synctalk_testkit.floods NAME` reads a `Target` as JSON from standard input, floods until its time is over,
and prints what came of it as JSON. A process of its own, so that its cost is not that of the clients that measure.
"""
