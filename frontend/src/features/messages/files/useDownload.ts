import { useState } from 'react'
import type { File as StoredFile } from '@synctalk/client/contracts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { lazyTexts } from '@/lib/text/lazyTexts'

/** Save a file to the disk; `busy` while it is on its way. */
export function useDownload(file: StoredFile): { busy: boolean; download: () => void } {
  const { contents } = useLive()
  const toast = useToast()
  const [busy, setBusy] = useState(false)
  async function download(): Promise<void> {
    setBusy(true)
    try {
      const link = document.createElement('a')
      link.href = await contents.address(file.id, 'content')
      link.download = file.name
      // A bucket's address may be shown instead of saved, by its type.
      if (!link.href.startsWith('blob:')) Object.assign(link, { target: '_blank', rel: 'noopener' })
      link.click()
    } catch {
      toast(lazyTexts.files.couldNotLoad)
    } finally {
      setBusy(false)
    }
  }
  return { busy, download: () => void (busy ? undefined : download()) }
}
