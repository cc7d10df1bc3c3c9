import { useEffect } from 'react'
import { Button } from '@/components/Button'
import { Menu, MenuChoice } from '@/components/Menu'
import { CallError } from '@/lib/errors'
import { useToast } from '@/lib-react/page'
import { useNotificationSettings } from '@/lib-react/chat'
import { useLive } from '@/lib-react/session'
import type { Level } from '@/lib/live/notificationSettings'
import { failureText, texts } from '@/lib/text/texts'

const t = texts.notifications
const LEVELS: readonly Level[] = ['all', 'mentions', 'none']

/** What this conversation may call for, on all of one's devices. */
export function NotificationLevel({ conversationId }: { conversationId: string }) {
  const toast = useToast()
  const { notificationSettings } = useLive()
  const settings = useNotificationSettings(conversationId)
  const level = settings.level ?? 'all'
  useEffect(() => {
    notificationSettings.read(conversationId).catch(() => undefined)
  }, [notificationSettings, conversationId])

  function choose(next: Level): void {
    notificationSettings
      .put(conversationId, { level: next, muted_until: null })
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }

  return (
    <Menu
      align="start"
      trigger={
        <Button>
          {t.level}: {t.levels[level]}
        </Button>
      }
    >
      <MenuChoice
        label={t.level}
        value={level}
        options={LEVELS.map((value) => ({ value, text: t.levels[value] }))}
        onChange={choose}
      />
    </Menu>
  )
}
