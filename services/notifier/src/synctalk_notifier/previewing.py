"""The wiring of link previews: what fetches pages, and what looks the links of messages up."""

from datetime import timedelta

from synctalk_runtime.background import Loop
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.service import Service

from synctalk_notifier.actions.link_previews import LinkPreviews
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.clients.web_pages import WebPages
from synctalk_notifier.settings import Settings

CLEANING_S = 60.0


def link_previews(
    service: Service, settings: Settings, postgres: Postgres, upstreams: Upstreams
) -> LinkPreviews | None:
    """Run the looking up of links; return what notes them, None where it is switched off. Before the bus."""
    if settings.link_previews == "off":
        return None
    web = service.opening(
        WebPages(
            settings.link_preview_private_networks,
            user_agent=settings.link_preview_user_agent,
            timeout_s=settings.link_preview_timeout_s,
            max_bytes=settings.link_preview_bytes,
        )
    )
    previews = LinkPreviews(
        postgres,
        web,
        upstreams,
        at_once=settings.link_preview_requests,
        keep=timedelta(seconds=settings.link_preview_keep_s),
        keep_missing=timedelta(seconds=settings.link_preview_missing_keep_s),
    )
    service.running(previews)
    service.running(Loop("link-previews.cleaning", previews.forget_old, CLEANING_S))
    return previews
