import { Suspense, useState } from 'react'
import { Avatar } from '@/components/Avatar'
import { Icon } from '@/components/Icon'
import { useOwnStatus } from '@/lib/live/ownStatus'
import { useSession } from '@/lib/session/session'
import { texts } from '@/lib/text/texts'
import { lazily } from '@/lib/lazily'

const AccountMenu = lazily(() => import('./AccountMenu'))

/** Oneself, above the list. The menu is loaded when it is first wanted. */
export function Account() {
  const session = useSession()
  const status = useOwnStatus()
  const [asked, setAsked] = useState(false)
  if (session.state !== 'signed_in') return null
  const { user } = session
  const button = (
    <button
      type="button"
      aria-label={texts.settings.menu}
      aria-haspopup="menu"
      className="flex min-w-0 flex-1 items-center gap-2.5 rounded-control px-1.5 py-1 text-start hover:bg-bg-hover hover:[--surface:var(--bg-hover)] data-[state=open]:bg-bg-hover"
      {...(!asked && { onClick: () => setAsked(true) })}
    >
      <Avatar id={user.id} name={user.display_name} url={user.avatar_url} size={32} status={status} />
      <span className="truncate font-semibold">{user.display_name}</span>
      <Icon name="down" size={14} className="shrink-0 text-text-faint" />
    </button>
  )
  return asked ? (
    <Suspense fallback={button}>
      <AccountMenu trigger={button} />
    </Suspense>
  ) : (
    button
  )
}
