/**
 * The client's files, a cache for each build. A build is cached whole or not at all; a page that is open keeps the files of
 * its own build, whose names have hashes, and the next page that is opened is of the newest.
 */

declare const self: ServiceWorkerGlobalScope

// By `scripts/worker.ts`: all files but the page itself, the one that only a page of this build names, and a hash of all.
declare const SHELL_FILES: string[]
declare const SHELL_ENTRY: string
declare const SHELL_VERSION: string

const PREFIX = 'synctalk.shell.'
const CACHE = `${PREFIX}${SHELL_VERSION}`
/** Pages of older builds are reloaded when they need a file. */
const KEPT_BUILDS = 3
const PAGE = '/'

/** What the client's router does not show. */
const NO_PAGE = /^\/(?:v1|docs|dev|embed|internal|socket\.io|\.well-known|assets)(?:\/|$)|\.\w+$/

export const isPage = (path: string): boolean => !NO_PAGE.test(path)

export async function fillShell(): Promise<void> {
  const cache = await caches.open(CACHE)
  await cache.addAll(SHELL_FILES)
  // The last: while another build takes this one's place, some of these files may be of either.
  const page = await fetchPage()
  if (page === null || !(await isOfThisBuild(page))) throw new Error('Another build is served by now.')
  await cache.put(PAGE, page)
}

export async function dropOldShells(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE)
  await Promise.all(
    names.slice(0, Math.max(0, names.length - KEPT_BUILDS + 1)).map((name) => caches.delete(name)),
  )
}

export function answer(event: FetchEvent): void {
  const { request } = event
  const { origin, pathname, search } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (request.mode === 'navigate') {
    if (!isPage(pathname)) return
    event.respondWith(cached(request, PAGE))
    event.waitUntil(renewPage())
  } else if (pathname.startsWith('/assets/') || SHELL_FILES.includes(pathname + search)) {
    event.respondWith(cached(request, request))
  }
}

async function cached(request: Request, key: RequestInfo): Promise<Response> {
  const own = await caches.match(key, { cacheName: CACHE, ignoreVary: true })
  // A page of an earlier build needs its own files; the page itself is only ever of this build.
  return own ?? (key === PAGE ? undefined : await caches.match(key, { ignoreVary: true })) ?? fetch(request)
}

/** Take the page's headers anew, which the operator may have changed, and look for the next build. */
async function renewPage(): Promise<void> {
  const page = await fetchPage().catch(() => null)
  if (page === null) return
  if (await isOfThisBuild(page)) await (await caches.open(CACHE)).put(PAGE, page)
  else await self.registration.update().catch(() => undefined)
}

async function fetchPage(): Promise<Response | null> {
  const response = await fetch(PAGE, { cache: 'no-cache' })
  return response.ok && !response.redirected ? response : null
}

const isOfThisBuild = async (page: Response): Promise<boolean> =>
  (await page.clone().text()).includes(SHELL_ENTRY)
