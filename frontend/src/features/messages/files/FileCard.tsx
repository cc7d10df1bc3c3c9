import type { File as StoredFile } from '@synctalk/client/contracts'
import { Icon } from '@/components/Icon'
import { sizeInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { CARD_PX } from './layout'
import { useDownload } from './useDownload'

/** A file that a page cannot show: its name and size, and a click saves it. */
export function FileCard({ file }: { file: StoredFile }) {
  const { busy, download } = useDownload(file)
  return (
    <button
      type="button"
      aria-label={lazyTexts.files.download(file.name)}
      aria-busy={busy}
      onClick={download}
      style={{ height: CARD_PX }}
      className="flex w-90 max-w-full items-center gap-3 rounded-card border border-border bg-bg ps-3 pe-4 text-start transition-colors duration-150 hover:bg-bg-hover"
    >
      <span className="flex size-9 shrink-0 items-center justify-center rounded-control bg-accent-soft text-accent-ink">
        <Icon name="file" />
      </span>
      <span className="min-w-0 flex-1">
        <span className="flex text-meta font-medium">
          <bdi className="truncate">{file.name}</bdi>
        </span>
        <span className="figures block truncate text-small text-text-muted">
          {sizeInWords(file.size)}
          {extensionOf(file.name)}
        </span>
      </span>
      <Icon name="download" size={18} className={`text-text-faint ${busy ? 'animate-breathe' : ''}`} />
    </button>
  )
}

/** By which a type is known. */
function extensionOf(name: string): string {
  const [, extension] = /\.([A-Za-z0-9]{1,5})$/.exec(name) ?? []
  return extension === undefined ? '' : ` · ${extension.toUpperCase()}`
}
