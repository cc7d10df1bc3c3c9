import { Suspense, useState } from 'react'
import { Avatar } from '@/components/Avatar'
import { Icon } from '@/components/Icon'
import { usePresence } from '@/components/Status'
import { useMe, useOwnStatus } from '@/lib-react/chat'
import { useAuthState } from '@/lib-react/session'
import { texts } from '@/lib/text/texts'
import { lazily } from '@/lib-react/lazily'

const AccountMenu = lazily(() => import('./AccountMenu'))

/** Oneself, above the list. The menu is loaded when it is first wanted. */
export function Account() {
  const session = useAuthState()
  const status = useOwnStatus()
  const presence = usePresence(useMe())
  const emoji = presence?.status_emoji ?? undefined
  const [asked, setAsked] = useState(false)
  if (session.state !== 'signed_in') return null
  const { user } = session
  const button = (
    <button
      type="button"
      aria-label={`${user.display_name}, ${texts.conversations.account}`}
      aria-haspopup="menu"
      className="flex min-w-0 flex-1 items-center gap-2.5 rounded-control px-1.5 py-1 text-start hover:bg-bg-hover hover:[--surface:var(--bg-hover)] data-[state=open]:bg-bg-hover"
      {...(!asked && { onClick: () => setAsked(true) })}
    >
      <Avatar id={user.id} name={user.display_name} url={user.avatar_url} size={32} status={status} />
      <bdi className="truncate font-semibold">{user.display_name}</bdi>
      {emoji !== undefined && (
        <span aria-hidden="true" title={presence?.custom_status ?? undefined} className="shrink-0">
          {emoji}
        </span>
      )}
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
