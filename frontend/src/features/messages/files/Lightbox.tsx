import { Dialog } from 'radix-ui'
import { useRef, useState, type KeyboardEvent, type TouchEvent } from 'react'
import type { File as StoredFile } from '@synctalk/client/contracts'
import { IconButton } from '@/components/Button'
import { useFocusWays } from '@/components/Dialog'
import { isShownAsItIs } from '@synctalk/client/chat/files'
import { useFileAddress } from '@/lib-react/files'
import { isShortcut } from '@/lib-react/keys'
import { sizeInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { useDownload } from './useDownload'

const t = lazyTexts.files

/** Up to so large a picture is shown as it is; the long side of larger ones has 1,280 pixels, and they can be saved. */
const MAX_WHOLE_BYTES = 8_000_000

interface LightboxProps {
  pictures: readonly StoredFile[]
  /** Which of them is shown first. */
  start: number
  onClose: () => void
}

/** A message's pictures over everything, one at a time: the arrows lead from one to the next, Escape leads out. */
export default function Lightbox({ pictures, start, onClose }: LightboxProps) {
  const focus = useFocusWays()
  const [index, setIndex] = useState(start)
  const go = (step: number): void => setIndex((index + step + pictures.length) % pictures.length)
  const swipe = useSwipe(go)
  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    if (isShortcut(event) || pictures.length < 2) return
    const toEnd = getComputedStyle(event.currentTarget).direction === 'rtl' ? -1 : 1
    if (event.key === 'ArrowRight') go(toEnd)
    else if (event.key === 'ArrowLeft') go(-toEnd)
    else if (event.key === 'Home') setIndex(0)
    else if (event.key === 'End') setIndex(pictures.length - 1)
    else return
    event.preventDefault()
  }
  const file = pictures[index]
  if (file === undefined) return null
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Content
          aria-describedby={undefined}
          {...focus}
          onKeyDown={onKeyDown}
          {...swipe}
          className="fixed inset-0 z-50 flex animate-appear flex-col bg-bg outline-none"
        >
          <Head file={file} place={pictures.length < 2 ? null : t.of(index + 1, pictures.length)} />
          <div className="relative flex min-h-0 flex-1 items-center justify-center p-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] sm:px-16 sm:pb-6">
            <Whole key={file.id} file={file} />
            {pictures.length > 1 && (
              <>
                <IconButton
                  icon="back"
                  label={t.previous}
                  onClick={() => go(-1)}
                  className="absolute start-3 size-11! rounded-full! border border-border bg-bg-float! shadow-float"
                />
                <IconButton
                  icon="forth"
                  label={t.next}
                  onClick={() => go(1)}
                  className="absolute end-3 size-11! rounded-full! border border-border bg-bg-float! shadow-float"
                />
              </>
            )}
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

/** A finger that moves so far to a side turns to the next picture. */
const SWIPE_PX = 60

function useSwipe(go: (step: number) => void) {
  const from = useRef<{ x: number; y: number } | null>(null)
  return {
    onTouchStart: ({ touches }: TouchEvent): void => {
      const touch = touches.length === 1 ? touches[0] : undefined
      from.current = touch === undefined ? null : { x: touch.clientX, y: touch.clientY }
    },
    onTouchEnd: ({ changedTouches, currentTarget }: TouchEvent<HTMLElement>): void => {
      const touch = changedTouches[0]
      if (from.current === null || touch === undefined) return
      const [x, y] = [touch.clientX - from.current.x, touch.clientY - from.current.y]
      from.current = null
      if (Math.abs(x) < SWIPE_PX || Math.abs(y) > Math.abs(x)) return
      const toEnd = getComputedStyle(currentTarget).direction === 'rtl' ? -1 : 1
      go(x < 0 ? toEnd : -toEnd)
    },
  }
}

function Head({ file, place }: { file: StoredFile; place: string | null }) {
  const { download } = useDownload(file)
  return (
    <header className="flex h-14 shrink-0 items-center gap-2 border-b border-border ps-4 pe-2">
      <div className="min-w-0 flex-1">
        <Dialog.Title className="flex text-message leading-5 font-semibold">
          <bdi className="truncate">{file.name}</bdi>
        </Dialog.Title>
        <p role="status" className="figures truncate text-small text-text-muted">
          {place !== null && `${place} · `}
          {sizeInWords(file.size)}
        </p>
      </div>
      <IconButton icon="download" label={t.download(file.name)} onClick={download} />
      <Dialog.Close asChild>
        <IconButton icon="close" label={texts.close} data-autofocus />
      </Dialog.Close>
    </header>
  )
}

/** The picture as large as there is space, sharper once all of it is there. */
function Whole({ file }: { file: StoredFile }) {
  const small = useFileAddress(file.id, '1280')
  const whole = useFileAddress(
    file.id,
    isShownAsItIs(file) && file.size <= MAX_WHOLE_BYTES ? 'content' : null,
  )
  const [sharp, setSharp] = useState(false)
  if (small.failed && whole.address === null)
    return <p className="text-meta text-text-muted">{t.couldNotLoad}</p>
  const layer = 'absolute inset-0 size-full object-scale-down'
  return (
    <div className="relative size-full">
      {small.address !== null && (!sharp || whole.address === null) && (
        <img src={small.address} alt={file.name} className={layer} />
      )}
      {whole.address !== null && (
        <img
          src={whole.address}
          alt={file.name}
          data-whole={sharp}
          onLoad={() => setSharp(true)}
          className={`${layer} ${sharp ? '' : 'opacity-0'}`}
        />
      )}
    </div>
  )
}
