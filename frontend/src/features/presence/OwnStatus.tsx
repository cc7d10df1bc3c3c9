import { useState, type FormEvent } from 'react'
import type { PresenceStatus, ToServerEvents } from '@/contracts'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { MenuChoice } from '@/components/Menu'
import { PresenceDot } from '@/components/PresenceDot'
import { usePresence } from '@/components/Status'
import { useMe, useOwnStatus } from '@/lib-react/chat'
import { CallError } from '@/lib/errors'
import { failureText, texts } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'

const t = texts.presence
const MAX_CUSTOM = 128

type Wanted = NonNullable<ToServerEvents['presence:set']['status']>

const CHOICES: readonly { value: Wanted; text: string; status: PresenceStatus }[] = [
  { value: 'online', text: t.online, status: 'online' },
  { value: 'away', text: t.away, status: 'away' },
  { value: 'dnd', text: t.dnd, status: 'dnd' },
  { value: 'invisible', text: `${t.invisible} · ${t.invisibleLead}`, status: 'offline' },
]

/** Return what sets one's presence, and shows a failure by a toast. */
function useSetPresence(): (wish: ToServerEvents['presence:set']) => void {
  const { connection } = useLive()
  const toast = useToast()
  return (wish) => {
    connection
      .request('presence:set', wish)
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }
}

/** The choices of one's own status, in a menu. */
export function StatusChoices() {
  const set = useSetPresence()
  const status = useOwnStatus()
  const value = CHOICES.find((choice) => choice.status === status)?.value ?? 'online'
  return (
    <MenuChoice
      label={t.set}
      value={value}
      options={CHOICES.map((choice) => ({
        value: choice.value,
        text: choice.text,
        lead: <PresenceDot status={choice.status} />,
      }))}
      onChange={(next) => set({ status: next })}
    />
  )
}

/** A few words of one's own, shown beside the name. */
export function CustomStatusDialog({ onClose }: { onClose: () => void }) {
  const set = useSetPresence()
  const me = useMe()
  const presence = usePresence(me)
  const [text, setText] = useState(presence?.custom_status ?? '')

  function submit(event: FormEvent): void {
    event.preventDefault()
    set({ custom_status: text.trim() === '' ? null : text.trim() })
    onClose()
  }

  return (
    <Dialog title={t.customStatus} onClose={onClose}>
      <form noValidate onSubmit={submit} className="flex flex-col gap-3 p-4">
        <Field
          label={t.customStatus}
          placeholder={t.customStatusPlaceholder}
          data-autofocus
          maxLength={MAX_CUSTOM}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={() => setText('')}>{t.clear}</Button>
          <Button type="submit" look="primary">
            {texts.save}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
