import { Link } from 'react-router'
import { Empty } from '@/components/States'
import { texts } from '@/lib/text/texts'

export function NotFound() {
  return (
    <div className="flex h-full items-center justify-center">
      <Empty icon="search" title={texts.notFound}>
        <Link
          to="/"
          className="rounded-control font-medium text-accent-ink underline-offset-2 hover:underline"
        >
          {texts.goHome}
        </Link>
      </Empty>
    </div>
  )
}
