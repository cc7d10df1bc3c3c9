"""The wiring of api: its dependencies and consumers, in the sequence in which they start.

They stop in the reverse one: the partitions go to other processes, no more commands arrive, the writer finishes its
batch, broadcasts are published, then the pools close.
"""

from fastapi import FastAPI
from synctalk_contracts import topology
from synctalk_runtime.directory import Directory
from synctalk_runtime.limits import Limiter
from synctalk_runtime.service import Service

from synctalk_api.actions.backfill import Backfill
from synctalk_api.actions.block_copies import BlockCopies
from synctalk_api.actions.claims import Claims
from synctalk_api.actions.deletion import Deletion
from synctalk_api.actions.erasures import Erasures
from synctalk_api.actions.file_cleaning import FileCleaning
from synctalk_api.actions.files import Files
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.partitions import Partitions
from synctalk_api.actions.profiles import ProfilePublisher
from synctalk_api.actions.user_copies import UserCopies
from synctalk_api.clients.accounts import Accounts
from synctalk_api.clients.fanout import Fanout
from synctalk_api.clients.inspector import Inspector
from synctalk_api.clients.object_store import ObjectStore
from synctalk_api.consumers.users import users_handler
from synctalk_api.routes import ROUTERS
from synctalk_api.routes.dependencies import Services
from synctalk_api.routes.named import NamedConversations
from synctalk_api.settings import Settings
from synctalk_api.store.stores import Store, Stores
from synctalk_api.store.streams import StreamTexts
from synctalk_api.writing import command_queue, command_writers


def build(settings: Settings) -> FastAPI:
    service = Service(settings)
    redis = service.redis_pipeline(settings.redis_url)
    limiter = Limiter(service.redis_pipeline(settings.limits_url))
    auth = service.upstream(settings.auth_url)
    accounts, directory = Accounts(auth), Directory(auth)
    stores = Stores([Store.of(name, service, settings) for name in settings.addresses_of_stores])
    service.health.add("postgres", stores.check)
    queue_limits = (settings.fanout_queue_messages, settings.fanout_queue_bytes)
    fanout = service.running(Fanout(redis, *queue_limits, settings.fanout_wait_s))
    service.health.add("redis", fanout.check, gates=False)
    profiles = service.running(ProfilePublisher(stores, settings, fanout))
    objects = ObjectStore(settings.files_url, settings.files_options)
    files = Files(stores, objects, Inspector.of(settings), settings)
    texts = StreamTexts(redis)
    live = service.running(LiveTexts(texts))
    writers = command_writers(service, settings, stores, fanout, files, texts, live)
    for store in stores.all:
        service.running(Backfill(store.postgres))
        service.running(Deletion(store.postgres))
    for store in stores.all[1:]:
        service.running(UserCopies(stores.main, store))
    service.running(FileCleaning(stores, objects, settings.file_unused_s))
    tokens = service.verify_tokens()
    partitions = Partitions(settings.instance, stores, redis, command_queue(service, settings, writers))
    services = Services.of(
        settings, stores, accounts, directory, limiter, fanout, profiles, writers, partitions, files, live
    )
    for store in stores.all[1:]:
        service.running(BlockCopies(store, services.blocks))
    erasures = service.running(Erasures(stores, services.users, fanout))
    claims = service.running(Claims(stores, services.users, services.blocks, fanout))
    service.bus.subscribe(topology.API_USERS, users_handler(services.users, erasures, claims))
    service.running(service.bus)
    service.running(partitions)
    app = service.app(ROUTERS, tokens, services)
    app.add_middleware(NamedConversations, names=services.names)
    return app
