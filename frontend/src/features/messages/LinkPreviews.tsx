import { createContext, useContext, useState } from 'react'
import type { LinkPreview } from '@synctalk/client/contracts'
import { Icon } from '@/components/Icon'
import { texts } from '@/lib/text/texts'
import { memo } from '@/lib-react/language'

const t = texts.messages

/** The ids of the messages whose previews were put away: they stay so, though their rows come and go. */
export const PutAwayContext = createContext<Set<string> | null>(null)

interface LinkPreviewsProps {
  id: string
  previews: readonly LinkPreview[]
}

/**
 * What the pages behind a message's links say of themselves, as text. Their pictures are left out: whoever is asked for one
 * learns who reads here, and when.
 */
export const LinkPreviews = memo(function LinkPreviews({ id, previews }: LinkPreviewsProps) {
  const putAway = useContext(PutAwayContext)
  const [open, setOpen] = useState(() => putAway?.has(id) !== true)
  const toggle = (): void => {
    if (open) putAway?.add(id)
    else putAway?.delete(id)
    setOpen(!open)
  }
  return (
    <div className="pb-1">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="flex h-5 items-center gap-1 rounded-control text-small text-text-muted hover:text-text pointer-coarse:h-9"
      >
        {t.previews(previews.length)}
        <Icon name={open ? 'up' : 'down'} size={12} />
      </button>
      {open && (
        <ul aria-label={t.previews(previews.length)} className="flex max-w-120 flex-col gap-1.5">
          {previews.map((preview) => (
            <li key={preview.url}>
              <Card preview={preview} />
            </li>
          ))}
        </ul>
      )}
    </div>
  )
})

function Card({ preview: { url, title, description } }: { preview: LinkPreview }) {
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer nofollow"
      data-preview
      className="group/preview block rounded-control border border-border bg-bg-raised px-3 py-1.5"
    >
      <bdi className="block truncate text-small text-text-muted">{new URL(url).host}</bdi>
      <bdi className="block truncate text-meta font-semibold text-accent-ink group-hover/preview:underline">
        {title}
      </bdi>
      {description !== '' && (
        <bdi className="line-clamp-2 text-meta wrap-anywhere text-text-muted">{description}</bdi>
      )}
    </a>
  )
}
