import { Suspense } from 'react'
import type { File as StoredFile } from '@synctalk/client/contracts'
import { lazily } from '@/lib-react/lazily'
import { filesHeight } from './layout'

const loadMessageFiles = () => import('./MessageFiles')
const MessageFiles = lazily(loadMessageFiles)
const loadTray = () => import('./AttachmentTray')
export const AttachmentTray = lazily(loadTray)

/** Load what shows files before there is one, so that it is there without a connection too. */
export const loadFileViews = (): Promise<unknown> => Promise.all([loadMessageFiles(), loadTray()])

/** A message's files; as high as they are before what shows them is loaded. */
export function FilesPlace({ files }: { files: readonly StoredFile[] }) {
  if (files.length === 0) return null
  return (
    <Suspense fallback={<div aria-hidden="true" style={{ height: filesHeight(files) }} />}>
      <MessageFiles files={files} />
    </Suspense>
  )
}
