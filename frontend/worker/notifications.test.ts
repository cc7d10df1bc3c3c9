/** In which language the worker notifies, with and without a page that has said so. */
import { beforeEach, expect, test, vi } from 'vitest'
import { NEW_MESSAGE } from '@/lib/text/newMessage'
import { keepLanguage } from './language'

// As the build defines it.
vi.stubGlobal('SHELL_VERSION', 'one')
const { notify } = await import('./notifications')

const shown: { title: string; body: string | undefined }[] = []
let kept = new Map<string, string>()

beforeEach(() => {
  shown.length = 0
  kept = new Map()
  vi.stubGlobal('caches', {
    open: (cache: string) =>
      Promise.resolve({
        put: async (key: string, response: Response) => void kept.set(cache + key, await response.text()),
      }),
    match: (key: string, { cacheName }: { cacheName: string }) => {
      const text = kept.get(cacheName + key)
      return Promise.resolve(text === undefined ? undefined : new Response(text))
    },
  })
  vi.stubGlobal('clients', { matchAll: () => Promise.resolve([]) })
  vi.stubGlobal('registration', {
    getNotifications: () => Promise.resolve([]),
    showNotification: (title: string, { body }: NotificationOptions) => {
      shown.push({ title, body })
      return Promise.resolve()
    },
  })
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['fr', 'de-AT'])
})

/** A push that names nothing of its message. */
const push = (notification: { title: null; body: string } | null) =>
  JSON.stringify({ data: { type: 'message', conversation_id: 'c', message_id: 'm', seq: '1' }, notification })

test.each(['en', 'de', 'ar'] as const)(
  'the page was in %s: a message that is not shown is named in it',
  async (language) => {
    await keepLanguage({ type: 'language', language })
    await notify(push(null))
    expect(shown).toEqual([{ title: 'SyncTalk', body: NEW_MESSAGE[language] }])
  },
)

test('the language that the page was in last counts', async () => {
  await keepLanguage({ type: 'language', language: 'de' })
  await keepLanguage({ type: 'language', language: 'ar' })
  await notify(push(null))
  expect(shown[0]?.body).toBe('رسالة جديدة')
})

test('no page has said so yet: as the browser has it', async () => {
  await notify(push(null))
  expect(shown[0]?.body).toBe('Neue Nachricht')
})

test('what the server says in the device’s language is shown as it is', async () => {
  await keepLanguage({ type: 'language', language: 'ar' })
  await notify(push({ title: null, body: 'Nouveau message' }))
  expect(shown[0]?.body).toBe('Nouveau message')
})

test.each([null, 'ar', {}, { language: null }, { language: 'fr' }, { language: '../ar' }])(
  '%j from a page changes nothing',
  async (data) => {
    await keepLanguage({ type: 'language', language: 'de' })
    await keepLanguage(data)
    await notify(push(null))
    expect(shown[0]?.body).toBe('Neue Nachricht')
  },
)
