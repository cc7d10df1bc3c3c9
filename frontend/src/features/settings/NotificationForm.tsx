import { useEffect, useState } from 'react'
import { useStore } from 'zustand'
import type { GlobalNotificationSettings, QuietHours } from '@synctalk/client/contracts'
import { Button } from '@/components/Button'
import { Problem } from '@/components/Field'
import { Select } from '@/components/Select'
import { Switch } from '@/components/Switch'
import { isMuted } from '@synctalk/client/chat/attention'
import { endOf } from '@synctalk/client/chat/closed'
import { titleOf } from '@/lib/chat/names'
import { CallError } from '@synctalk/client/errors'
import type { Level } from '@synctalk/client/live/notificationSettings'
import { dayAndTimeInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useConversations } from '@/lib-react/chat'
import { useNow } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'

const t = lazyTexts.notifications
const LEVELS: readonly Level[] = ['all', 'mentions', 'none']
type Content = NonNullable<GlobalNotificationSettings['content']>
const CONTENTS: readonly Content[] = ['full', 'sender', 'none']
const NIGHT = { from: '22:00', to: '07:00' }

const ownTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** Of what one is notified on all devices, when not, and which conversations differ; each choice holds at once. */
export function NotificationForm() {
  const { notificationSettings } = useLive()
  const { settings } = useStore(notificationSettings.known)
  // What was chosen shows at once, and falls back where it is refused.
  const [wanted, setWanted] = useState<GlobalNotificationSettings>({})
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => void notificationSettings.read(), [notificationSettings])
  const shown = { ...settings, ...wanted }

  function put(change: GlobalNotificationSettings): void {
    setWanted({ ...wanted, ...change })
    setProblem(null)
    notificationSettings
      .putGlobal(change)
      .catch((error: unknown) => setProblem(failureText(error instanceof CallError ? error.code : 'other')))
      .finally(() => setWanted({}))
  }

  return (
    <div className="mt-5 flex flex-col gap-4">
      {problem !== null && <Problem>{problem}</Problem>}
      <Select
        label={t.forAll}
        hint={t.forAllHint}
        value={shown.level ?? 'all'}
        options={LEVELS.map((value) => ({ value, text: t.levels[value] }))}
        onChange={(level) => put({ level })}
        className="max-w-sm"
      />
      <Select
        label={t.content}
        value={shown.content ?? 'full'}
        options={CONTENTS.map((value) => ({ value, text: t.contents[value] }))}
        onChange={(content) => put({ content })}
        className="max-w-sm"
      />
      <Quiet hours={shown.quiet_hours ?? null} onChange={(quiet_hours) => put({ quiet_hours })} />
      <Differing />
    </div>
  )
}

interface QuietProps {
  hours: QuietHours | null
  onChange: (hours: QuietHours | null) => void
}

function Quiet({ hours, onChange }: QuietProps) {
  return (
    <div className="max-w-sm">
      <Switch
        label={t.quiet}
        lead={t.quietLead}
        on={hours !== null}
        onChange={(on) => onChange(on ? { ...NIGHT, time_zone: ownTimeZone() } : null)}
      />
      {hours !== null && (
        <div className="mt-2 flex flex-wrap items-end gap-3">
          <Clock label={t.from} value={hours.from} onChange={(from) => onChange({ ...hours, from })} />
          <Clock label={t.to} value={hours.to} onChange={(to) => onChange({ ...hours, to })} />
          <p className="pb-2.5 text-meta text-text-muted">{hours.time_zone.replaceAll('_', ' ')}</p>
        </div>
      )}
    </div>
  )
}

interface ClockProps {
  label: string
  value: string
  onChange: (value: string) => void
}

function Clock({ label, value, onChange }: ClockProps) {
  return (
    <label className="text-meta font-medium">
      {label}
      <input
        type="time"
        required
        value={value}
        onChange={(event) => event.target.value !== '' && onChange(event.target.value)}
        className="figures mt-1 block h-10 rounded-control border border-border-strong bg-bg px-2 text-message font-normal focus:border-focus pointer-coarse:h-11"
      />
    </label>
  )
}

/** The conversations with settings of their own, and the way back to those for all. */
function Differing() {
  const { notificationSettings } = useLive()
  const { conversations } = useStore(notificationSettings.known)
  const now = useNow()
  const [problem, setProblem] = useState<string | null>(null)
  const summaries = useConversations().filter(({ id }) => conversations[id] !== undefined)
  if (summaries.length === 0) return null

  function reset(id: string): void {
    setProblem(null)
    notificationSettings
      .put(id, { level: 'default', muted_until: null })
      .catch((error: unknown) => setProblem(failureText(error instanceof CallError ? error.code : 'other')))
  }

  return (
    <div>
      <h4 className="mb-1 text-meta font-medium">{t.differing}</h4>
      {problem !== null && <Problem>{problem}</Problem>}
      <ul aria-label={t.differing}>
        {summaries.map((summary) => {
          const own = conversations[summary.id] ?? {}
          const title = titleOf(summary)
          return (
            <li key={summary.id} className="flex min-h-12 items-center gap-3">
              <span className="min-w-0 flex-1">
                <span className="flex leading-5">
                  <bdi className="truncate">{title}</bdi>
                </span>
                <span className="block truncate text-small text-text-muted">
                  {isMuted(own, now) ? mutedInWords(own.muted_until ?? '') : t.levels[own.level ?? 'all']}
                </span>
              </span>
              <Button aria-label={t.resetOf(title)} onClick={() => reset(summary.id)}>
                {t.reset}
              </Button>
            </li>
          )
        })}
      </ul>
    </div>
  )
}

function mutedInWords(until: string): string {
  const end = endOf(until)
  return end === null ? texts.notifications.muted : t.mutedUntil(dayAndTimeInWords(end))
}
