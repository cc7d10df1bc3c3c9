"""The metrics of the notifier."""

from prometheus_client import Counter, Gauge, Histogram

RECEIVED = Counter("notifier_messages_received_total", "Messages received, to be pushed after their delay.")
PUSHES = Counter("notifier_pushes_total", "Pushes, by kind and how they ended.", ["kind", "end"])
RETRIES = Counter("notifier_push_retries_total", "Attempts that did not get through, by reason.", ["why"])
WAITING = Gauge("notifier_pushes_waiting", "Pushes that are not sent yet.")
IN_FLIGHT = Gauge("notifier_pushes_in_flight", "Pushes of this process that wait for FCM.")
SECONDS = Histogram(
    "notifier_push_seconds",
    "From the end of a message's delay until FCM accepted its push.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
LINKS = Counter("notifier_links_total", "Links looked up for previews, by what came of them.", ["end"])
WEBHOOKS = Counter("notifier_webhook_requests_total", "Requests to webhooks, by what came of them.", ["end"])
