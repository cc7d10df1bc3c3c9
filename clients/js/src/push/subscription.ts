/** This browser as a device that the server pushes to. */
import type { Rest } from '../http.js'

const KEY = 'synctalk.device'
/** As the server takes it. */
const LOCALE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$/

/** Subscribe, and register as a device of this session, which ends with it, in the language of its notifications. */
export async function subscribe(
  rest: Rest,
  { pushManager }: ServiceWorkerRegistration,
  locale: string,
): Promise<void> {
  const { public_key } = await rest.call<{ public_key: string }>({ url: '/v1/push/vapid-key' })
  const { endpoint, keys } = (await subscriptionWith(pushManager, public_key)).toJSON()
  const data = {
    platform: 'web',
    subscription: { endpoint, keys: { p256dh: keys?.p256dh, auth: keys?.auth } },
    ...(LOCALE.test(locale) ? { locale } : {}),
  }
  await rest.call<void>({ method: 'PUT', url: `/v1/devices/${deviceId()}`, data })
}

/** End the subscription, withdraw what is shown, and remove the device from the server, if it can be reached. */
export async function unsubscribe(rest: Rest): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  for (const shown of (await registration?.getNotifications()) ?? []) shown.close()
  await (await registration?.pushManager.getSubscription())?.unsubscribe()
  const id = localStorage.getItem(KEY)
  if (id === null) return
  localStorage.removeItem(KEY)
  await rest.call<void>({ method: 'DELETE', url: `/v1/devices/${id}` })
}

async function subscriptionWith(manager: PushManager, publicKey: string): Promise<PushSubscription> {
  const known = await manager.getSubscription()
  if (known !== null) {
    const key = known.options.applicationServerKey
    if (key !== null && base64url(key) === publicKey) return known
    // The server signs with another key by now.
    await known.unsubscribe()
  }
  return manager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
}

const base64url = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** The same for each sign-in of this browser. */
function deviceId(): string {
  const known = localStorage.getItem(KEY)
  if (known !== null) return known
  const id = `web-${crypto.randomUUID()}`
  localStorage.setItem(KEY, id)
  return id
}
