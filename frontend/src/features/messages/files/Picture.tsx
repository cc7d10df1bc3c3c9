import { Suspense, useState } from 'react'
import type { File as StoredFile } from '@synctalk/client/contracts'
import { Icon } from '@/components/Icon'
import { isAnimated } from '@synctalk/client/chat/files'
import { useFileAddress } from '@/lib-react/files'
import { wordlessly } from '@/lib-react/lazily'
import { lazyTexts } from '@/lib/text/lazyTexts'
import type { Size } from './layout'

const t = lazyTexts.files

const Blurhash = wordlessly(() => import('./Blurhash'))

/** An animation moves only as it is; larger ones are shown still until they are opened. */
const MAX_ANIMATED_BYTES = 8_000_000

interface PictureProps {
  file: StoredFile
  size: Size
  onOpen: () => void
}

/** A picture in the history. Its place is as large before it is loaded as afterwards. */
export function Picture({ file, size, onOpen }: PictureProps) {
  const moves = isAnimated(file) && file.size <= MAX_ANIMATED_BYTES
  const { address, failed } = useFileAddress(file.id, moves ? 'content' : size.width > 360 ? '1280' : '360')
  const [shown, setShown] = useState(false)
  return (
    <button
      type="button"
      aria-label={t.open(file.name)}
      data-picture={shown ? 'shown' : 'coming'}
      onClick={onOpen}
      style={{ width: size.width, aspectRatio: `${String(size.width)} / ${String(size.height)}` }}
      className="relative max-w-full cursor-zoom-in overflow-hidden rounded-card border border-border bg-bg-active"
    >
      {file.blurhash !== null && !shown && (
        <Suspense>
          <Blurhash hash={file.blurhash} />
        </Suspense>
      )}
      {failed && (
        <span
          className="absolute inset-0 flex items-center justify-center text-text-muted"
          title={t.couldNotLoad}
        >
          <Icon name="alert" />
        </span>
      )}
      {address !== null && (
        <img
          src={address}
          alt=""
          draggable={false}
          onLoad={() => setShown(true)}
          className={`absolute inset-0 size-full object-cover transition-opacity duration-150 ${shown ? '' : 'opacity-0'}`}
        />
      )}
    </button>
  )
}
