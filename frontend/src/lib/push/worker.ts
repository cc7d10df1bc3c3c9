/** The service worker's registration, as the page has it. */

/** Register the worker; null: there is none here, and the page does without. */
export async function registerWorker(): Promise<ServiceWorkerRegistration | null> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return null
  const given = navigator.serviceWorker.register('/sw.js')
  return (await given.catch(() => null)) ?? null
}

/** Register the worker and wait until it runs; null: it does not. */
export async function activeWorker(): Promise<ServiceWorkerRegistration | null> {
  const registration = await registerWorker()
  if (registration === null || registration.active !== null) return registration
  const worker = registration.installing ?? registration.waiting
  if (worker !== null) await settled(worker)
  return registration.active === null ? null : registration
}

/** `redundant`: it could not fetch all that it needs, and is tried again at the next visit. */
const settled = (worker: ServiceWorker): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => {
      if (worker.state === 'activated' || worker.state === 'redundant') resolve()
    }
    worker.addEventListener('statechange', check)
    check()
  })
