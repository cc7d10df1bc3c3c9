/** The language of the page, kept for pushes that come while there is none. */
import { chosenOf, languageOf, type Language } from '@/lib/text/languages'

declare const self: ServiceWorkerGlobalScope

const CACHE = 'synctalk.language'
const KEY = '/language'

export async function keepLanguage(data: unknown): Promise<void> {
  if (typeof data !== 'object' || data === null || !('language' in data)) return
  const language = languageOf(String(data.language))
  if (language !== null) await (await caches.open(CACHE)).put(KEY, new Response(language))
}

export async function keptLanguage(): Promise<Language> {
  const kept = await caches.match(KEY, { cacheName: CACHE })
  return languageOf(await kept?.text()) ?? chosenOf(self.navigator.languages)
}
