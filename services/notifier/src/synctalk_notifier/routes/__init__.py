"""HTTP endpoints: parse, call one action, respond."""

from synctalk_notifier.routes import devices, events, push, settings, webhooks

ROUTERS = (devices.router, settings.router, push.router, events.router, webhooks.router)
