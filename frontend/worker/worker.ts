/**
 * The service worker: shows pushes, and serves the client's own files, so that it opens at once and without a network.
 * It answers no call of the API and has no token.
 */
import { keepLanguage } from './language'
import { notify, openClicked } from './notifications'
import { answer, dropOldShells, fillShell } from './shell'

declare const self: ServiceWorkerGlobalScope

self.addEventListener('install', (event) => event.waitUntil(fillShell().then(() => self.skipWaiting())))
self.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([dropOldShells(), self.clients.claim()]))
})
self.addEventListener('fetch', answer)
self.addEventListener('message', (event) => event.waitUntil(keepLanguage(event.data)))
self.addEventListener('push', (event) => event.waitUntil(notify(event.data?.text() ?? '')))
self.addEventListener('notificationclick', (event) => event.waitUntil(openClicked(event.notification)))
