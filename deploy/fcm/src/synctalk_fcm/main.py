"""The wiring of the stand-in."""

from fastapi import FastAPI
from synctalk_runtime.health import Health
from synctalk_runtime.health import routes as health_routes

from synctalk_fcm.inbox import Inbox
from synctalk_fcm.routes import dev, fcm, web_push
from synctalk_fcm.settings import FcmSettings
from synctalk_fcm.tokens import AccessTokens


def build(settings: FcmSettings) -> FastAPI:
    app = FastAPI(title="SyncTalk FCM stand-in", version="1.0.0", docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.inbox = Inbox(settings.fcm_max_messages)
    app.state.tokens = AccessTokens(settings.fcm_credentials_file)
    app.include_router(fcm.router)
    app.include_router(web_push.router)
    app.include_router(dev.router)
    app.include_router(health_routes(Health()))
    return app
