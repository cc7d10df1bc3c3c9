import { Link } from 'react-router'
import { Button } from '@/components/Button'
import { useCopy } from '@/components/useCopy'
import { lazyTexts } from '@/lib/text/lazyTexts'

const t = lazyTexts.start
const LOOK =
  'inline-flex min-h-9 items-center rounded-control border border-border bg-bg px-3.5 text-meta font-medium text-text hover:bg-bg-hover pointer-coarse:min-h-11'

/** What else new users can begin with, and the name by which others find them. */
export default function FirstSteps({ username }: { username: string }) {
  const copy = useCopy()
  const name = `@${username}`
  return (
    <>
      <div className="mt-3 flex flex-wrap justify-center gap-2">
        <Link to="/new/group" className={LOOK}>
          {t.newGroup}
        </Link>
        <Link to="/channels" className={LOOK}>
          {lazyTexts.channels.title}
        </Link>
      </div>
      <div className="mt-8 flex flex-wrap items-center justify-center gap-x-3 gap-y-2 border-t border-border pt-5 text-meta text-text-muted">
        <span>{t.foundAs(name)}</span>
        <Button aria-label={lazyTexts.settings.copyUsername} onClick={() => copy(name)}>
          {lazyTexts.settings.copy}
        </Button>
      </div>
    </>
  )
}
