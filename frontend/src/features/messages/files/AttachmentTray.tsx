import { useEffect, useState } from 'react'
import { Icon, type IconName } from '@/components/Icon'
import { useLive } from '@/lib-react/session'
import type { Attachment, UploadState } from '@synctalk/client/live/uploads'
import { sizeInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'

const t = lazyTexts.files

interface TrayProps {
  place: string
  attachments: readonly Attachment[]
  /** The message waits for them. */
  waiting: boolean
}

/** What is attached, above the text: each with how far it is, and the way to take it off or to try again. */
export default function AttachmentTray({ place, attachments, waiting }: TrayProps) {
  const ready = attachments.filter(({ upload }) => upload.state === 'ready').length
  return (
    <div className="border-b border-border">
      <ul aria-label={t.attached} className="flex max-h-56 flex-wrap gap-2 overflow-y-auto p-2">
        {attachments.map((attachment) => (
          <Chip key={attachment.key} place={place} attachment={attachment} />
        ))}
      </ul>
      <p role="status" className={waiting ? 'px-3 pb-2 text-small text-text-muted' : 'sr-only'}>
        {waiting ? t.sendsWhenUploaded : t.done(ready, attachments.length)}
      </p>
    </div>
  )
}

function Chip({ place, attachment }: { place: string; attachment: Attachment }) {
  const { uploads } = useLive()
  const { key, name, size, upload } = attachment
  const failed = upload.state === 'failed'
  return (
    <li
      data-upload={upload.state}
      className={`relative flex h-13 w-60 max-w-full max-sm:w-full items-center gap-2.5 overflow-hidden rounded-control border bg-bg ps-1.5 ${failed ? 'border-danger' : 'border-border'}`}
    >
      <Preview attachment={attachment} />
      <span className="min-w-0 flex-1">
        <span className="flex text-meta font-medium">
          <bdi className="truncate">{name}</bdi>
        </span>
        <span className={`figures block truncate text-small ${failed ? 'text-danger' : 'text-text-muted'}`}>
          {upload.state === 'ready' ? sizeInWords(size) : stateInWords(upload)}
        </span>
      </span>
      <span className="flex shrink-0">
        {failed && (
          <SmallButton icon="again" label={t.retry(name)} onClick={() => uploads.retry(place, key)} />
        )}
        <SmallButton
          icon="close"
          label={upload.state === 'ready' || failed ? t.remove(name) : t.cancel(name)}
          onClick={() => uploads.remove(place, key)}
        />
      </span>
      {upload.state === 'uploading' && <Progress name={name} sent={upload.sent} />}
    </li>
  )
}

function stateInWords(upload: Exclude<UploadState, { state: 'ready' }>): string {
  if (upload.state === 'waiting') return t.waiting
  if (upload.state === 'failed') return t.failures[upload.reason] ?? t.failures.other
  return upload.sent < 1 ? t.uploading(Math.round(upload.sent * 100)) : t.checking
}

function Progress({ name, sent }: { name: string; sent: number }) {
  const percent = Math.round(sent * 100)
  return (
    <span
      role="progressbar"
      aria-label={t.progress(name)}
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className="absolute inset-x-0 bottom-0 h-0.75 bg-bg-active"
    >
      <span
        style={{ transform: `scaleX(${String(sent)})` }}
        className="block size-full origin-left bg-accent transition-transform duration-150 rtl:origin-right"
      />
    </span>
  )
}

interface SmallButtonProps {
  icon: IconName
  label: string
  onClick: () => void
}

const SmallButton = ({ icon, label, onClick }: SmallButtonProps) => (
  <button
    type="button"
    aria-label={label}
    title={label}
    onClick={onClick}
    className="flex size-8 items-center justify-center rounded-control text-text-muted -outline-offset-2 hover:bg-bg-hover hover:text-text pointer-coarse:size-11"
  >
    <Icon name={icon} size={16} />
  </button>
)

/** The picture itself, where it is one. */
function Preview({ attachment: { key, type, upload } }: { attachment: Attachment }) {
  const { contents, uploads } = useLive()
  const [address, setAddress] = useState<string | null>(null)
  const [broken, setBroken] = useState(false)
  const stored = upload.state === 'ready' ? contents.known(upload.file.id, 'content') : null
  useEffect(() => {
    const blob = type.startsWith('image/') ? uploads.blobOf(key) : undefined
    if (blob === undefined) return
    const made = URL.createObjectURL(blob)
    // The address exists only from here on.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setAddress(made)
    return () => URL.revokeObjectURL(made)
  }, [uploads, key, type])
  const shown = broken ? null : (address ?? stored)
  return (
    <span className="flex size-10 shrink-0 items-center justify-center overflow-hidden rounded-control bg-accent-soft text-accent-ink">
      {shown === null || !type.startsWith('image/') ? (
        <Icon name="file" size={18} />
      ) : (
        <img src={shown} alt="" onError={() => setBroken(true)} className="size-full object-cover" />
      )}
    </span>
  )
}
