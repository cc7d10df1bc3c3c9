"""What the notifier counts."""

from prometheus_client import Counter, Gauge, Histogram

HEARD = Counter("notifier_messages_heard_total", "Messages put on hold.")
PUSHES = Counter("notifier_pushes_total", "Pushes to devices, by kind and how they ended.", ["kind", "end"])
RETRIES = Counter("notifier_push_retries_total", "Tries that did not get through, by why.", ["why"])
WAITING = Gauge("notifier_pushes_waiting", "Pushes to devices that are not sent yet.")
IN_FLIGHT = Gauge("notifier_pushes_in_flight", "Pushes of this process that wait for FCM's answer.")
SECONDS = Histogram(
    "notifier_push_seconds",
    "From the end of the hold to FCM's taking it.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
