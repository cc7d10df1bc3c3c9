import { useState } from 'react'
import { CallError } from '@synctalk/client/errors'
import { failureText } from '@/lib/text/texts'

interface Work {
  busy: boolean
  /** What to say beside it, when the last run failed. */
  failed: string | null
  run: (work: () => Promise<unknown>) => void
}

/** Run what the server has to allow, one at a time. */
export function useWork(): Work {
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<string | null>(null)
  function run(work: () => Promise<unknown>): void {
    if (busy) return
    setBusy(true)
    setFailed(null)
    work()
      .catch((error: unknown) => setFailed(failureText(error instanceof CallError ? error.code : 'other')))
      .finally(() => setBusy(false))
  }
  return { busy, failed, run }
}
