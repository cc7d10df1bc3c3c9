import { useRef } from 'react'
import { useStore } from 'zustand'
import { IconButton } from '@/components/Button'
import { useAttachments } from '@/lib-react/files'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { MAX_FILES, type Attachment } from '@synctalk/client/live/uploads'
import { texts } from '@/lib/text/texts'

const t = texts.files

interface Attaching {
  attachments: readonly Attachment[]
  /** The message is sent by itself once they are uploaded. */
  waiting: boolean
  attach: (files: readonly File[]) => void
}

/** What is attached to the message that one writes in a conversation or a thread. */
export function useAttaching(place: string): Attaching {
  const toast = useToast()
  const { afterUploads, uploads } = useLive()
  const attachments = useAttachments(place)
  const waiting = useStore(afterUploads.waiting, (all) => all[place] !== undefined)
  return {
    attachments,
    waiting,
    attach: (files) => {
      if (uploads.attach(place, files) > 0) toast(t.tooMany(MAX_FILES))
    },
  }
}

/** The files that are pasted or dropped; folders are none. */
export function filesIn(data: DataTransfer): File[] {
  const items = [...data.items].filter(
    (item) => item.kind === 'file' && item.webkitGetAsEntry()?.isDirectory !== true,
  )
  return items.flatMap((item) => item.getAsFile() ?? [])
}

/** Opens the system's choice of files. */
export function AttachButton({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-attach
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])])
          // The same file may be chosen again.
          target.value = ''
        }}
      />
      <IconButton
        icon="attach"
        label={t.attach}
        onClick={() => input.current?.click()}
        className="m-1 me-0 pointer-coarse:my-1"
      />
    </>
  )
}
