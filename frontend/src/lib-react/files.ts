/** What views read of files: their bytes' address, and what is attached to the message that one writes. */
import { useEffect, useState } from 'react'
import { useStore } from 'zustand'
import type { Variant } from '@synctalk/client/live/fileContents'
import { attachmentsIn, type Attachment } from '@synctalk/client/live/uploads'
import { useConnection } from './chat'
import { useLive } from './session'

export const useAttachments = (conversationId: string): readonly Attachment[] =>
  useStore(useLive().uploads.attachments, (all) => attachmentsIn(all, conversationId))

/** Return the address of a file's bytes once they are there; null variant: they are not wanted. A new connection retries. */
export function useFileAddress(
  id: string,
  variant: Variant | null,
): { address: string | null; failed: boolean } {
  const { contents } = useLive()
  const [loaded, setLoaded] = useState<{ key: string; address: string | null } | null>(null)
  const connection = useConnection((state) => (state.state === 'live' ? state.connectionId : null))
  const key = `${id}/${variant ?? ''}`
  const known = variant === null ? null : contents.known(id, variant)
  const current = loaded?.key === key ? loaded : null
  const missing = variant !== null && known === null && (current?.address ?? null) === null
  useEffect(() => {
    if (!missing || variant === null) return
    let left = false
    contents.address(id, variant).then(
      (address) => !left && setLoaded({ key, address }),
      () => !left && setLoaded({ key, address: null }),
    )
    return () => {
      left = true
    }
  }, [contents, id, variant, key, missing, connection])
  const address = current?.address ?? known
  return { address, failed: current !== null && address === null }
}
