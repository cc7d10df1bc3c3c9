import { useEffect, useRef, useState, type RefObject } from 'react'
import type { File as StoredFile } from '@synctalk/client/contracts'
import { IconButton } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { kindOf } from '@synctalk/client/chat/files'
import { useFileAddress } from '@/lib-react/files'
import { playingTime, sizeInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { CARD_PX, singleSize } from './layout'
import { useDownload } from './useDownload'

const t = lazyTexts.files

/** A sound or a video in its place; nothing of it is loaded before it is to be played. */
export function Media({ file }: { file: StoredFile }) {
  const [wanted, setWanted] = useState(false)
  const { address, failed } = useFileAddress(file.id, wanted ? 'content' : null)
  const player = useRef<HTMLMediaElement>(null)
  useEffect(() => {
    // It takes the focus from the button in whose place it comes.
    if (address !== null) player.current?.focus()
  }, [address])
  const playing = wanted && address !== null && !failed
  return kindOf(file) === 'video' ? (
    <Video
      file={file}
      player={player}
      address={playing ? address : null}
      busy={wanted && !failed}
      onPlay={() => setWanted(true)}
    />
  ) : (
    <Sound
      file={file}
      player={player}
      address={playing ? address : null}
      busy={wanted && !failed}
      onPlay={() => setWanted(true)}
    />
  )
}

interface PlayerProps {
  file: StoredFile
  player: RefObject<HTMLMediaElement | null>
  /** Where it is; null until it is to be played. */
  address: string | null
  busy: boolean
  onPlay: () => void
}

function Video({ file, player, address, busy, onPlay }: PlayerProps) {
  const { width, height } = singleSize(file)
  return (
    <div
      style={{ width, aspectRatio: `${String(width)} / ${String(height)}` }}
      className="relative max-w-full overflow-hidden rounded-card border border-border bg-bg-active"
    >
      {address === null ? (
        <button
          type="button"
          aria-label={t.play(file.name)}
          aria-busy={busy}
          onClick={onPlay}
          className="flex size-full flex-col items-center justify-center gap-2 px-3 text-meta text-text-muted -outline-offset-2 hover:bg-bg-hover"
        >
          <span
            className={`flex size-12 items-center justify-center rounded-full bg-accent text-accent-text ${busy ? 'animate-breathe' : ''}`}
          >
            <Icon name="play" size={22} />
          </span>
          <span className="flex max-w-full">
            <bdi className="truncate">{file.name}</bdi>
          </span>
          <span className="figures text-small">{factsOf(file)}</span>
        </button>
      ) : (
        // eslint-disable-next-line jsx-a11y/media-has-caption
        <video
          ref={player as RefObject<HTMLVideoElement | null>}
          src={address}
          aria-label={file.name}
          controls
          autoPlay
          playsInline
          className="size-full"
        />
      )}
    </div>
  )
}

function Sound({ file, player, address, busy, onPlay }: PlayerProps) {
  const { download } = useDownload(file)
  return (
    <div
      style={{ height: CARD_PX }}
      className="flex w-90 max-w-full items-center gap-3 rounded-card border border-border bg-bg ps-2 pe-2"
    >
      {address === null ? (
        <>
          <button
            type="button"
            aria-label={t.play(file.name)}
            aria-busy={busy}
            onClick={onPlay}
            className={`flex size-10 shrink-0 items-center justify-center rounded-full bg-accent text-accent-text hover:bg-accent-hover pointer-coarse:size-11 ${busy ? 'animate-breathe' : ''}`}
          >
            <Icon name="play" />
          </button>
          <span className="min-w-0 flex-1">
            <span className="flex text-meta font-medium">
              <bdi className="truncate">{file.name}</bdi>
            </span>
            <span className="figures block text-small text-text-muted">{factsOf(file)}</span>
          </span>
          <IconButton icon="download" size={18} label={t.download(file.name)} onClick={download} />
        </>
      ) : (
        // eslint-disable-next-line jsx-a11y/media-has-caption
        <audio ref={player} src={address} aria-label={file.name} controls autoPlay className="h-10 w-full" />
      )}
    </div>
  )
}

const factsOf = ({ duration_s, size }: StoredFile): string =>
  duration_s === null ? sizeInWords(size) : `${playingTime(duration_s)} · ${sizeInWords(size)}`
