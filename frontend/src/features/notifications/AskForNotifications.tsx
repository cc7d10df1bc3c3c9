import { useEffect, useState } from 'react'
import { Button } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { texts } from '@/lib/text/texts'
import { useNotifications, usePage } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'

const t = texts.notifications

/** Offers notifications when they are first useful, when a message arrives, and never again after a choice. */
export function AskForNotifications() {
  const { notifications } = usePage()
  const { choice, permission } = useNotifications()
  const live = useLive()
  const [useful, setUseful] = useState(false)
  const open = choice === 'undecided' && permission === 'default'
  useEffect(() => {
    if (open) return live.onMessage(() => setUseful(true))
  }, [live, open])
  if (!open || !useful) return null
  return (
    <section
      aria-label={texts.notifications.level}
      className="m-3 animate-rise rounded-card border border-border bg-bg p-3"
    >
      <p className="flex gap-2.5 text-meta">
        <Icon name="bell" size={18} className="shrink-0 text-accent-ink" />
        {t.ask}
      </p>
      <div className="mt-2.5 flex justify-end gap-2">
        <Button look="quiet" onClick={() => notifications.choose('later')}>
          {t.notNow}
        </Button>
        <Button look="primary" onClick={() => void notifications.turnOn()}>
          {t.turnOn}
        </Button>
      </div>
    </section>
  )
}
