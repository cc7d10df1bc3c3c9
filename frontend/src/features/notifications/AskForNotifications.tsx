import { useEffect, useState } from 'react'
import { Button } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { onIncoming } from '@/lib/live/live'
import { chooseNotifications, turnOnNotifications, useNotifications } from '@/lib/notifications'
import { texts } from '@/lib/text/texts'

const t = texts.notifications

/** Asked when it is first useful: when a message came in, and never again once answered. */
export function AskForNotifications() {
  const { choice, permission } = useNotifications()
  const [useful, setUseful] = useState(false)
  const open = choice === 'undecided' && permission === 'default'
  useEffect(() => {
    if (open) return onIncoming(() => setUseful(true))
  }, [open])
  if (!open || !useful) return null
  return (
    <section
      aria-label={texts.settings.notifications}
      className="m-3 animate-rise rounded-card border border-border bg-bg p-3"
    >
      <p className="flex gap-2.5 text-meta">
        <Icon name="bell" size={18} className="shrink-0 text-accent-ink" />
        {t.ask}
      </p>
      <div className="mt-2.5 flex justify-end gap-2">
        <Button look="quiet" onClick={() => chooseNotifications('later')}>
          {t.notNow}
        </Button>
        <Button look="primary" onClick={() => void turnOnNotifications()}>
          {t.turnOn}
        </Button>
      </div>
    </section>
  )
}
