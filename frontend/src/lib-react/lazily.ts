/**
 * Views that are loaded when first wanted. Without a connection the wait goes on until there is one; and where the page is
 * older than what is served now, so that its parts are gone, it is loaded anew.
 */
import { lazy, type ComponentType, type LazyExoticComponent } from 'react'
import { loading } from '@/lib/text/loading'
import { backoffMs, sleep } from '@synctalk/client/timing'

export interface Part<P> {
  default: ComponentType<P>
}

/** Together with the texts of such views. */
export const lazily = <P>(load: () => Promise<Part<P>>): LazyExoticComponent<ComponentType<P>> =>
  wordlessly(async () => (await Promise.all([load(), loading.loadLazyTexts()]))[0])

/** Without them: of a view that shows none of them. */
export const wordlessly = <P>(load: () => Promise<Part<P>>): LazyExoticComponent<ComponentType<P>> =>
  lazy(() => persistently(load))

export async function persistently<Loaded>(load: () => Promise<Loaded>): Promise<Loaded> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await load()
    } catch {
      if (await isOutdated()) window.location.reload()
      await sleep(backoffMs(attempt))
    }
  }
}

/** Whether another build is served than the one this page came from; false while there is no response. */
async function isOutdated(): Promise<boolean> {
  const entry = document.querySelector<HTMLScriptElement>('script[type="module"]')?.src
  if (entry === undefined) return false
  try {
    const page = window.location.pathname === '/embed' ? '/embed' : '/'
    const response = await fetch(page, { cache: 'no-store' })
    return response.ok && !(await response.text()).includes(new URL(entry).pathname)
  } catch {
    return false
  }
}
