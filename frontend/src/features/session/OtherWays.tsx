import { Link, useLocation } from 'react-router'
import { Icon } from '@/components/Icon'
import { startAt, type Providers } from '@synctalk/client/auth/entry'
import { lazyTexts } from '@/lib/text/lazyTexts'
import type { Entry } from '@/lib-react/entry'

const t = lazyTexts.session
const LINE =
  'flex min-h-10 items-center justify-center gap-2 rounded-control border border-border-strong bg-bg px-3.5 text-meta font-medium hover:bg-bg-hover pointer-coarse:min-h-11'

/** Identity providers, and coming in as a guest, where the server offers them. */
export function OtherWays({ providers }: { providers: Providers }) {
  const { state } = useLocation() as { state: Entry | null }
  if (providers.items.length === 0 && !providers.guests) return null
  return (
    <>
      <p className="my-5 flex items-center gap-3 text-small text-text-faint before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border">
        {t.or}
      </p>
      <ul className="flex flex-col gap-2">
        {providers.items.map(({ id, name, start_url }) => (
          <li key={id}>
            <a href={startAt(start_url, state?.from ?? '/')} className={LINE}>
              <Icon name="key" size={18} className="text-text-muted" />
              {t.continueWith(name)}
            </a>
          </li>
        ))}
        {providers.guests && (
          <li>
            <Link to="/guest" state={state} className={LINE}>
              {t.asGuest}
            </Link>
          </li>
        )}
      </ul>
    </>
  )
}
