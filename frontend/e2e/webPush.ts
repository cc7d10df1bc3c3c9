/** A browser's side of Web Push, which a headless one does not have: keys of its own, and what it can read of a push. */
import { createDecipheriv, createECDH, createHmac, randomBytes, randomUUID } from 'node:crypto'
import type { BrowserContext, CDPSession, Page, Worker } from '@playwright/test'
import { expect, type User } from './users'

interface Received {
  body: string
}

interface Notified {
  title: string
  body: string
  tag: string
}

const sha256 = (key: Buffer, ...parts: (Buffer | string)[]): Buffer => {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** The subscription of one browser at the push stand-in. */
export class Subscription {
  private readonly token = randomUUID()
  private readonly ecdh = createECDH('prime256v1')
  private readonly auth = randomBytes(16)

  constructor(private readonly user: User) {
    this.ecdh.generateKeys()
  }

  /** Before the page is loaded: what it subscribes with leads to the stand-in. */
  async install(context: BrowserContext, baseURL: string): Promise<void> {
    const json = {
      endpoint: `${baseURL}/dev/webpush/${this.token}`,
      expirationTime: null,
      keys: { p256dh: this.ecdh.getPublicKey('base64url'), auth: this.auth.toString('base64url') },
    }
    await context.addInitScript((given) => {
      const KEY = 'test.subscribed'
      const subscription = {
        options: { applicationServerKey: null },
        toJSON: () => given,
        unsubscribe: () => Promise.resolve(localStorage.removeItem(KEY)),
      }
      const manager = PushManager.prototype as { subscribe: unknown; getSubscription: unknown }
      manager.subscribe = ({ applicationServerKey }: { applicationServerKey: string }) => {
        localStorage.setItem(KEY, applicationServerKey)
        return Promise.resolve(subscription)
      }
      manager.getSubscription = () =>
        Promise.resolve(localStorage.getItem(KEY) === null ? null : subscription)
    }, json)
  }

  /** Wait until so many pushes were sent, and return the last one's text. */
  async received(count: number): Promise<string> {
    const list = async () =>
      (await this.user.call<{ items: Received[] }>('GET', `/dev/push/messages?token=${this.token}`)).items
    await expect.poll(async () => (await list()).length).toBe(count)
    return this.decrypt(Buffer.from((await list()).at(-1)?.body ?? '', 'base64'))
  }

  /** RFC 8291 and 8188, of one record. */
  private decrypt(body: Buffer): string {
    const salt = body.subarray(0, 16)
    const sender = body.subarray(21, 21 + body.readUInt8(20))
    const record = body.subarray(21 + sender.length)
    const info = [Buffer.from('WebPush: info\0'), this.ecdh.getPublicKey(), sender, '\x01']
    const key = sha256(salt, sha256(sha256(this.auth, this.ecdh.computeSecret(sender)), ...info))
    const content = sha256(key, 'Content-Encoding: aes128gcm\0\x01').subarray(0, 16)
    const nonce = sha256(key, 'Content-Encoding: nonce\0\x01').subarray(0, 12)
    const decipher = createDecipheriv('aes-128-gcm', content, nonce)
    decipher.setAuthTag(record.subarray(-16))
    const text = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()])
    return text.subarray(0, text.lastIndexOf(2)).toString()
  }
}

/**
 * A headless browser allows no notifications, and ends who asks for them or for a badge: what would be shown is kept in a
 * cache, which the page and its worker share.
 */
function keepShown(): void {
  const open = () => caches.open('test.shown')
  const registration = ServiceWorkerRegistration.prototype as {
    showNotification: unknown
    getNotifications: unknown
  }
  registration.showNotification = async (title: string, options: { tag: string }) => {
    await (await open()).put(`/${options.tag}`, new Response(JSON.stringify({ title, ...options })))
  }
  registration.getNotifications = async ({ tag }: { tag?: string } = {}) => {
    const cache = await open()
    const all = await Promise.all((await cache.keys()).map(async (key) => (await cache.match(key))?.text()))
    return all
      .filter((text) => text !== undefined) // closed in between
      .map((text) => JSON.parse(text) as { tag: string })
      .filter((one) => tag === undefined || one.tag === tag)
      .map((one) => ({ ...one, close: () => void cache.delete(`/${one.tag}`) }))
  }
  Object.defineProperty(Notification, 'permission', { get: () => 'granted' })
  Object.defineProperty(navigator, 'setAppBadge', { value: () => Promise.resolve() })
}

/** Before the page is loaded: notifications are turned on, as in the settings, and allowed by the browser. */
export async function allowNotifications(context: BrowserContext): Promise<void> {
  await context.addInitScript(keepShown)
  await context.addInitScript(() => {
    if (location.protocol !== 'about:') localStorage.setItem('synctalk.notifications', 'on')
  })
}

/** The worker of a browser, to which pushes are given as its push service does. */
export class PushedTo {
  private constructor(
    private readonly worker: Worker,
    private readonly cdp: CDPSession,
    private readonly registrationId: string,
    private readonly origin: string,
  ) {}

  /** `page`: one of the client. */
  static async of(page: Page): Promise<PushedTo> {
    const context = page.context()
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'))
    await worker.evaluate(keepShown)
    const cdp = await context.newCDPSession(page)
    const { origin } = new URL(page.url())
    const id = new Promise<string>((resolve) => {
      cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const own = registrations.find(({ scopeURL, isDeleted }) => scopeURL === `${origin}/` && !isDeleted)
        if (own !== undefined) resolve(own.registrationId)
      })
    })
    await cdp.send('ServiceWorker.enable')
    return new PushedTo(worker, cdp, await id, origin)
  }

  async deliver(data: string): Promise<void> {
    const { origin, registrationId } = this
    await this.cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
  }

  /** What is shown now. */
  shown(): Promise<Notified[]> {
    return this.worker.evaluate(async () => {
      const { registration } = self as unknown as { registration: ServiceWorkerRegistration }
      return (await registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }))
    })
  }

  /** Click the one notification that is shown. */
  click(): Promise<void> {
    return this.worker.evaluate(async () => {
      const { registration } = self as unknown as { registration: ServiceWorkerRegistration }
      const [notification] = await registration.getNotifications()
      const click = new Event('notificationclick')
      self.dispatchEvent(Object.assign(click, { notification, waitUntil: () => undefined }))
    })
  }
}
