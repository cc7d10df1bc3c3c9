/** What `/embed.js` makes of the attributes of its script element. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Given } from '../lib/embed/messages'
import { inUse } from '../lib/text/inUse'
import { Backend } from './backend'
import { Widget } from './widget'

const before = { ...inUse }

beforeEach(() => {
  // jsdom has none of these.
  vi.stubGlobal('CSS', { supports: () => false })
  vi.stubGlobal(
    'CSSStyleSheet',
    class {
      replaceSync = vi.fn()
    },
  )
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['de-AT', 'en'])
})

afterEach(() => {
  document.body.replaceChildren()
  vi.unstubAllGlobals()
  Object.assign(inUse, before)
})

/** Show the button by a script element with these attributes, for a page whose backend knows nobody. */
async function shown(attributes: Record<string, string>) {
  const script = document.createElement('script')
  script.src = 'https://chat.example/embed.js'
  for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value)
  const backend = new Backend(undefined)
  const asked = vi.spyOn(backend, 'ask').mockResolvedValue('nobody' satisfies Given)
  const widget = new Widget(script, backend)
  widget.start()
  await asked.mock.results[0]?.value
  const host = document.querySelector('synctalk-chat') as HTMLElement
  const root = host.shadowRoot as ShadowRoot
  return { widget, host, button: root.querySelector('button') as HTMLElement, root }
}

test.each([
  [{ 'data-lang': 'ar' }, 'ar', 'rtl', 'المحادثة', '?lang=ar'],
  [{ 'data-lang': 'de-CH' }, 'de', 'ltr', 'Chat', '?lang=de-CH'],
  [{ 'data-lang': 'fr' }, 'de', 'ltr', 'Chat', '?lang=fr'],
  [{ 'data-lang': '&x' }, 'de', 'ltr', 'Chat', '?lang=%26x'],
  [{}, 'de', 'ltr', 'Chat', ''],
])('%j: the button and the frame are in that language', async (attributes, lang, dir, name, query) => {
  const { widget, host, button, root } = await shown(attributes)
  expect([host.lang, host.dir, button.getAttribute('aria-label')]).toEqual([lang, dir, name])
  expect(root.querySelector('iframe')).toBeNull()
  widget.open()
  expect(root.querySelector('iframe')?.src).toBe(`https://chat.example/embed${query}`)
  expect(root.querySelector('[role="dialog"]')?.getAttribute('aria-label')).toBe(name)
})

test('what is unread is counted in the forms of the language, and in its figures', async () => {
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['en', 'ar-EG'])
  const { widget, button, root } = await shown({ 'data-lang': 'ar' })
  widget.open()
  // jsdom loads no frame in a shadow root.
  const frame = { postMessage: vi.fn() } as unknown as Window
  Object.defineProperty(root.querySelector('iframe'), 'contentWindow', { value: frame })
  const count = (unread: number): string | null => {
    window.dispatchEvent(
      new MessageEvent('message', {
        source: frame,
        origin: 'https://chat.example',
        data: { synctalk: 'unread', count: unread },
      }),
    )
    return root.querySelector('[role="status"]')?.textContent ?? null
  }
  expect([1, 2, 3, 11].map(count)).toEqual([
    'رسالة واحدة غير مقروءة',
    'رسالتان غير مقروءتين',
    '٣ رسائل غير مقروءة',
    '١١ رسالة غير مقروءة',
  ])
  expect(button.getAttribute('aria-label')).toBe('المحادثة، ١١ رسالة غير مقروءة')
})

test('the page’s own label stands before the language’s', async () => {
  const { button } = await shown({ 'data-lang': 'ar', 'data-label': 'الدعم' })
  expect(button.getAttribute('aria-label')).toBe('الدعم')
})
