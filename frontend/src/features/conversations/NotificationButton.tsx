import { Suspense, useState } from 'react'
import { IconButton } from '@/components/Button'
import { lazily } from '@/lib-react/lazily'
import { texts } from '@/lib/text/texts'

const t = texts.notifications

const NotificationLevel = lazily(() =>
  import('./NotificationLevel').then((m) => ({ default: m.NotificationLevel })),
)

/** Mutes a conversation from its head, or chooses what one is notified of. The menu is loaded when it is first wanted. */
export function NotificationButton({ conversationId, muted }: { conversationId: string; muted: boolean }) {
  const [asked, setAsked] = useState(false)
  const button = (
    <IconButton
      icon={muted ? 'bellOff' : 'bell'}
      label={muted ? `${t.level}: ${t.muted}` : t.level}
      aria-haspopup="menu"
      className="max-md:hidden data-[state=open]:bg-bg-active data-[state=open]:text-text"
      // Once it is there, the menu handles the click itself.
      {...(!asked && { onClick: () => setAsked(true) })}
    />
  )
  return asked ? (
    <Suspense fallback={button}>
      <NotificationLevel conversationId={conversationId} trigger={button} />
    </Suspense>
  ) : (
    button
  )
}
