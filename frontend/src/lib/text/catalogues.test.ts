import { readFileSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemText } from '@/lib/chat/systemText'
import { message } from '@synctalk/client/chat/samples'
import { ago, dayInWords, durationInWords, playingTime, sizeInWords } from './format'
import { chosenOf, directionOf, LANGUAGES, localeOf, type Language } from './languages'
import { lazyTexts } from './lazyTexts'
import { CATALOGUES, loading } from './loading'
import { NEW_MESSAGE } from './newMessage'
import { pluralsOf } from './plurals'
import { texts } from './texts'
import { WIDGET_TEXTS } from './widget'

afterEach(() => loading.show({ language: 'en', locale: 'en-GB' }))

type Leaf = string | readonly string[] | ((...values: unknown[]) => string)

/** Every text by its path. */
function leavesOf(value: unknown, path = ''): [string, Leaf][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value as Leaf]]
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, path === '' ? name : `${path}.${name}`),
  )
}

async function catalogueOf(language: Language): Promise<Map<string, Leaf>> {
  const [main, lazy] = await Promise.all([CATALOGUES[language].texts(), CATALOGUES[language].lazyTexts()])
  return new Map([
    ...leavesOf(main.texts),
    ...leavesOf(lazy.lazyTexts, 'lazy'),
    ...leavesOf({ widget: WIDGET_TEXTS[language], newMessage: NEW_MESSAGE[language] }),
  ])
}

/** Numbers of every plural form of Arabic. */
const NUMBERS = [0, 1, 2, 3, 11, 100]
/** No language has it in its own words. */
const NAME = 'Ω'
/** Those that begin with a number. */
const COUNTED =
  /\.(?:unread|newMessages|cameBelow|previews|mentions|membersCount|membersOnline|replies|titleUnread|tooMany|photos|many|over|more|signOutUnsent|chosen|times|used|usedOf|done|uploading|of|addChosen|pageTitle|endOthersQuestion)$|^composer\.left$/
const OTHERS: Readonly<Record<string, (text: (...values: unknown[]) => string, n: number) => string>> = {
  'messages.readBySome': (text, n) => text(NAME, n),
  'reactions.names': (text, n) => text([NAME], n),
  'reactions.chip': (text, n) => text(NAME, n),
  'typing.some': (text) => text([NAME, 'م']),
  'typing.many': (text, n) => text(NAME, n),
  'system.added': (text) => text('م', [NAME]),
  'system.removed': (text) => text('م', [NAME]),
  'notifications.pageTitle': (text, n) => text(n, NAME),
}

/** What a text says, for numbers of every form and with a name in it. */
function sayings(path: string, leaf: Leaf): string[] {
  if (typeof leaf === 'string') return [leaf]
  if (typeof leaf !== 'function') return [...leaf]
  const say = OTHERS[path]
  return NUMBERS.map((n) => {
    if (say !== undefined) return say(leaf, n)
    return COUNTED.test(path) ? leaf(n, 100) : leaf(NAME, 'م')
  })
}

describe.each(LANGUAGES)('%s', (language) => {
  beforeEach(() => loading.show({ language, locale: language }))

  test('has the texts of English, of the same kind, and no others', async () => {
    const [english, other] = await Promise.all([catalogueOf('en'), catalogueOf(language)])
    expect([...other.keys()].sort()).toEqual([...english.keys()].sort())
    for (const [path, leaf] of other) {
      const model = english.get(path)
      expect([path, typeof leaf, Array.isArray(leaf) && leaf.length]).toEqual([
        path,
        typeof model,
        Array.isArray(model) && model.length,
      ])
    }
  })

  test('has no empty text, and none with a hole in it', async () => {
    for (const [path, leaf] of await catalogueOf(language))
      for (const said of sayings(path, leaf)) {
        expect(said.trim(), path).not.toBe('')
        expect(said, path).not.toMatch(/undefined|NaN|#|\[object|  /)
      }
  })

  test('names what English names', async () => {
    const english = await catalogueOf('en')
    for (const [path, leaf] of await catalogueOf(language)) {
      const [named, model] = [leaf, english.get(path) ?? ''].map((text) =>
        sayings(path, text).map((said) => said.includes(NAME)),
      )
      expect([path, named]).toEqual([path, model])
    }
  })
})

/** What Arabic writes in Latin letters: the product, addresses, keys, and the letters that a username may have. */
const LATIN = /SyncTalk|https:\/\/|Ctrl\+K|Esc|a–z/g

test('Arabic has no Latin letters but of allowed words, and isolates those', async () => {
  await loading.show({ language: 'ar', locale: 'ar' })
  for (const [path, leaf] of await catalogueOf('ar'))
    for (const said of sayings(path, leaf))
      expect(said.replace(LATIN, ''), path).not.toMatch(/\p{Script=Latin}/u)
})

/** Of German too. */
const SAME =
  /^(?:: |Admin|Audio|Chat|Code|Details|Emoji|Esc|Link|Moderator|Name|Offline|Online|Spoiler|Symbols?|SyncTalk|System|Threads?|Video|optional)$/

test('German says nothing in English but words that it has too', async () => {
  const english = await catalogueOf('en')
  for (const [path, leaf] of await catalogueOf('de'))
    if (typeof leaf === 'string' && leaf === english.get(path)) expect(leaf, path).toMatch(SAME)
})

test.each(LANGUAGES)('every plural form of %s is one that the language has, and each is used', (language) => {
  const rules = new Intl.PluralRules(language)
  const used = new Set(Array.from({ length: 201 }, (_, n) => rules.select(n)))
  expect([...rules.resolvedOptions().pluralCategories].sort()).toEqual([...used].sort())
  const forms = { zero: 'zero', one: 'one', two: 'two', few: 'few', many: 'many', other: 'other' }
  const plural = pluralsOf(language)
  for (let n = 0; n <= 200; n += 1) expect(plural(n, forms)).toBe(rules.select(n))
})

test('Arabic counts in six forms', async () => {
  await loading.show({ language: 'ar', locale: 'ar-EG' })
  expect([0, 1, 2, 3, 11, 100, 1_000].map((n) => texts.conversations.unread(n))).toEqual([
    'لا رسائل غير مقروءة',
    'رسالة واحدة غير مقروءة',
    'رسالتان غير مقروءتين',
    '٣ رسائل غير مقروءة',
    '١١ رسالة غير مقروءة',
    '١٠٠ رسالة غير مقروءة',
    '١٬٠٠٠ رسالة غير مقروءة',
  ])
  expect(lazyTexts.session.passwordHint).toBe('٨ أحرف على الأقل')
})

test('a section that was kept has the texts of the language that is chosen later', async () => {
  const { messages } = texts
  expect(messages.today).toBe('Today')
  await loading.show({ language: 'de', locale: 'de' })
  expect([messages.today, lazyTexts.settings.title]).toEqual(['Heute', 'Einstellungen'])
})

test('what is wanted last is shown last', async () => {
  await Promise.all([
    loading.show({ language: 'ar', locale: 'ar' }),
    loading.show({ language: 'de', locale: 'de' }),
  ])
  expect(texts.messages.today).toBe('Heute')
})

test('what failed to load is loaded the next time', async () => {
  const load = vi.spyOn(CATALOGUES.de, 'texts').mockRejectedValueOnce(new Error('offline'))
  await expect(loading.show({ language: 'de', locale: 'de' })).rejects.toThrow('offline')
  expect(texts.messages.today).toBe('Today')
  await loading.show({ language: 'de', locale: 'de' })
  expect([load.mock.calls.length, texts.messages.today]).toEqual([2, 'Heute'])
})

test('names of the other direction are isolated, and only those', async () => {
  expect(texts.system.joined('Ada')).toBe('Ada joined')
  expect(texts.system.joined('عمر')).toBe('\u2068عمر\u2069 joined')
  expect(texts.system.joined('\u2068عمر\u2069')).toBe('\u2068عمر\u2069 joined')
  await loading.show({ language: 'ar', locale: 'ar' })
  expect(texts.system.joined('عمر')).toBe('انضم عمر')
  expect(texts.system.added('عمر', ['Ada (2)'])).toBe('أضاف عمر \u2068Ada (2)\u2069')
})

test('what one did oneself has its own form of the verb', async () => {
  const added = message(1, 1, { system: { type: 'member_added', user_ids: ['me'] }, sender_id: 'ada' })
  const adding = message(2, 2, { system: { type: 'member_added', user_ids: ['ben'] }, sender_id: 'me' })
  const say = () =>
    [added, adding].map((message) =>
      systemText(message, 'me', (id) => ({ ada: 'Ada', ben: 'Ben' })[id] ?? ''),
    )
  await loading.show({ language: 'de', locale: 'de' })
  expect(say()).toEqual(['Ada hat dich hinzugefügt', 'Du hast Ben hinzugefügt'])
  await loading.show({ language: 'ar', locale: 'ar' })
  expect(say()).toEqual(['أضافك \u2068Ada\u2069', 'أضفتَ \u2068Ben\u2069'])
})

test('dates, numbers and sizes are written as in the language and the region', async () => {
  const now = Date.parse('2026-03-10T12:00:00Z')
  await loading.show({ language: 'de', locale: 'de-AT' })
  expect(dayInWords('2026-03-06T10:00:00Z', now)).toBe('Freitag')
  expect(ago('2026-03-10T11:55:00Z', now)).toBe('vor 5 Minuten')
  expect([sizeInWords(3_400_000), durationInWords(7_200)]).toEqual(['3,4 MB', '2 Stunden'])
  await loading.show({ language: 'ar', locale: 'ar-EG' })
  expect([playingTime(225), durationInWords(7_200)]).toEqual(['٣:٤٥', 'ساعتان'])
  expect(dayInWords('2026-03-06T10:00:00Z', now)).toBe('الجمعة')
})

/** As `public/first.js` finds it, which runs before all else. */
function firstOf(stored: string | null, languages: readonly string[], address = '/'): [string, string] {
  const { documentElement } = document
  window.history.replaceState(null, '', address)
  vi.stubGlobal('matchMedia', () => ({ matches: false }))
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(languages)
  localStorage.clear()
  if (stored !== null) localStorage.setItem('synctalk.language', stored)
  const script = document.createElement('script')
  vi.spyOn(document, 'currentScript', 'get').mockReturnValue(script)
  runInThisContext(readFileSync('public/first.js', 'utf8'))
  vi.unstubAllGlobals()
  return [documentElement.lang, documentElement.dir]
}

test.each([
  [null, ['de-AT', 'en'], 'de'],
  [null, ['fr', 'ar-EG', 'en'], 'ar'],
  [null, ['fr'], 'en'],
  [null, [], 'en'],
  ['ar', ['de'], 'ar'],
  ['xx', ['DE'], 'de'],
] as const)('chosen %s, browser %j: %s, before the first paint and after', (stored, languages, expected) => {
  expect(chosenOf([stored, ...languages])).toBe(expected)
  expect(firstOf(stored, languages)).toEqual([expected, directionOf(expected)])
})

test.each([
  ['/embed?lang=ar', 'de', 'ar'],
  ['/embed?lang=de-AT', null, 'de'],
  ['/embed?lang=fr', 'ar', 'ar'],
  ['/embed?lang=', null, 'en'],
  ['/embed', 'de', 'de'],
  ['/sign-in?lang=ar', null, 'en'],
])('%s, chosen %s: %s', (address, stored, expected) => {
  expect(firstOf(stored, ['en'], address)).toEqual([expected, directionOf(expected as Language)])
})

test('in a page of another origin nothing is asked for with the session of this browser', () => {
  const fetched = vi.fn(() => Promise.reject(new Error('offline')))
  const ask = (address: string): void => {
    vi.stubGlobal('fetch', fetched)
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation((key) =>
      key === 'synctalk.session' ? '{"user": {"id": "ada"}, "session_id": "1"}' : null,
    )
    firstOf(null, ['en'], address)
    vi.restoreAllMocks()
  }
  ask('/embed?lang=ar')
  expect(fetched).not.toHaveBeenCalled()
  ask('/')
  expect(fetched).toHaveBeenCalled()
})

test('the region is the user’s own where it is of the language', () => {
  expect(localeOf('en', ['de-AT', 'en-GB', 'en-US'])).toBe('en-GB')
  expect(localeOf('ar', ['de-AT'])).toBe('ar')
  expect(localeOf('de', ['de-!'])).toBe('de')
})
