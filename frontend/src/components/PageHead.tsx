import { Link } from 'react-router'
import { texts } from '@/lib/text/texts'
import { Icon } from './Icon'

/** Above a page that takes the place of the conversation; on phones with the way back. */
export const PageHead = ({ title }: { title: string }) => (
  <header className="flex h-14 shrink-0 items-center gap-2 border-b border-border ps-2 pe-4 md:ps-6">
    <Link
      to="/"
      aria-label={texts.back}
      className="flex size-11 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover md:hidden"
    >
      <Icon name="back" />
    </Link>
    <h2 className="text-title font-semibold">{title}</h2>
  </header>
)
