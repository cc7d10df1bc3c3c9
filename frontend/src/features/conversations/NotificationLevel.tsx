import { useEffect, type ReactNode } from 'react'
import { useStore } from 'zustand'
import { Button } from '@/components/Button'
import { Menu, MenuChoice, MenuItem, MenuLine } from '@/components/Menu'
import { isMuted, ownLevel, settingsOf } from '@synctalk/client/chat/attention'
import { endOf } from '@synctalk/client/chat/closed'
import { CallError } from '@synctalk/client/errors'
import { useNow, useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import type { Level, SettingsChange } from '@synctalk/client/live/notificationSettings'
import { dayAndTimeInWords, durationInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'

const t = lazyTexts.notifications
const LEVELS: readonly Level[] = ['all', 'mentions', 'none']
const MUTES_S = [3_600, 86_400, 604_800]

interface LevelProps {
  conversationId: string
  /** Given where a click on it has loaded the menu, which is then open from the start. */
  trigger?: ReactNode
}

/** What this conversation may call for, on all of one's devices. */
export function NotificationLevel({ conversationId, trigger }: LevelProps) {
  const toast = useToast()
  const { notificationSettings } = useLive()
  const now = useNow()
  const all = useStore(notificationSettings.known)
  const settings = settingsOf(all, conversationId)
  const own = ownLevel(all, conversationId, now) ?? 'default'
  const muted = isMuted(settings, now)
  const mutedUntil = muted ? (settings.muted_until ?? null) : null
  useEffect(() => void notificationSettings.read(), [notificationSettings, conversationId])

  const put = (change: SettingsChange): void => {
    notificationSettings
      .put(conversationId, change)
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }

  const byDefault = t.byDefault(t.levels[all.settings.level ?? 'all'])
  const levels = LEVELS.map((value) => ({ value, text: t.levels[value] }))
  return (
    <Menu
      align={trigger === undefined ? 'start' : 'end'}
      defaultOpen={trigger !== undefined}
      trigger={
        trigger ?? (
          <Button className="col-span-2">
            {texts.notifications.level}:{' '}
            {mutedUntil === null ? t.levels[settings.level ?? 'all'] : mutedInWords(mutedUntil)}
          </Button>
        )
      }
    >
      <MenuChoice<Level | 'default'>
        label={texts.notifications.level}
        value={own}
        options={[{ value: 'default', text: byDefault }, ...levels]}
        onChange={(level) => put({ level, muted_until: mutedUntil })}
      />
      <MenuLine />
      {muted ? (
        <MenuItem icon="bell" onSelect={() => put({ level: own, muted_until: null })}>
          {t.unmute}
        </MenuItem>
      ) : (
        MUTES_S.map((seconds) => (
          <MenuItem
            key={seconds}
            icon="bellOff"
            onSelect={() => put({ level: own, muted_until: after(seconds) })}
          >
            {t.muteFor(durationInWords(seconds))}
          </MenuItem>
        ))
      )}
    </Menu>
  )
}

const after = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString()

function mutedInWords(until: string): string {
  const end = endOf(until)
  return end === null ? texts.notifications.muted : t.mutedUntil(dayAndTimeInWords(end))
}
