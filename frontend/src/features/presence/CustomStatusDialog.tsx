import { Suspense, useState, type FormEvent } from 'react'
import { Button, IconButton } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { Select } from '@/components/Select'
import { usePresence } from '@/components/Status'
import { dayAndTimeInWords, durationInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { lazily } from '@/lib-react/lazily'
import { useMe } from '@/lib-react/chat'
import { useSetPresence } from './useSetPresence'

const EmojiPicker = lazily(() => import('@/components/emoji/EmojiPicker'))

const t = lazyTexts.presence
const MAX_CUSTOM = 128
const DURATIONS_S = [1_800, 3_600, 14_400]

type Ending = 'never' | 'today' | 'kept' | `${number}`

/** A few words and an emoji of one's own, shown beside the name until they end. */
export default function CustomStatusDialog({ onClose }: { onClose: () => void }) {
  const set = useSetPresence()
  const presence = usePresence(useMe())
  const kept = presence?.status_expires_at ?? null
  const [text, setText] = useState(presence?.custom_status ?? '')
  const [emoji, setEmoji] = useState(presence?.status_emoji ?? null)
  const [ending, setEnding] = useState<Ending>(kept === null ? 'never' : 'kept')
  const [choosing, setChoosing] = useState(false)
  const isNone = text.trim() === '' && emoji === null

  function submit(event: FormEvent): void {
    event.preventDefault()
    const expires_at = ending === 'kept' ? kept : endAt(ending)
    set({
      custom_status: isNone ? null : { text: text.trim() === '' ? null : text.trim(), emoji, expires_at },
    })
    onClose()
  }

  return (
    <Dialog title={t.customStatus} onClose={onClose}>
      <form noValidate onSubmit={submit} className="flex min-h-0 flex-col gap-4 overflow-y-auto p-4">
        <div className="flex items-end gap-2">
          {emoji === null ? (
            <IconButton
              icon="smile"
              label={lazyTexts.emoji.title}
              aria-expanded={choosing}
              onClick={() => setChoosing(!choosing)}
              className="size-10! border border-border-strong"
            />
          ) : (
            <button
              type="button"
              aria-label={t.removeEmoji(emoji)}
              title={t.removeEmoji(emoji)}
              onClick={() => setEmoji(null)}
              className="flex size-10 shrink-0 items-center justify-center rounded-control border border-border-strong text-[20px] leading-none hover:bg-bg-hover pointer-coarse:size-11"
            >
              {emoji}
            </button>
          )}
          <Field
            label={t.customStatus}
            placeholder={t.customStatusPlaceholder}
            data-autofocus
            dir="auto"
            maxLength={MAX_CUSTOM}
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="min-w-0 flex-1"
          />
        </div>
        {choosing && (
          <Suspense>
            <EmojiPicker
              onPick={(picked) => {
                setEmoji(picked)
                setChoosing(false)
              }}
            />
          </Suspense>
        )}
        <Select<Ending>
          label={t.clearAfter}
          value={ending}
          options={[
            ...(kept === null ? [] : [{ value: 'kept' as const, text: dayAndTimeInWords(kept) }]),
            { value: 'never', text: t.clearNever },
            ...DURATIONS_S.map((s) => ({ value: `${s}` as const, text: durationInWords(s) })),
            { value: 'today', text: t.clearToday },
          ]}
          onChange={setEnding}
        />
        <div className="flex justify-end gap-2">
          <Button
            onClick={() => {
              setText('')
              setEmoji(null)
              setEnding('never')
            }}
          >
            {t.clear}
          </Button>
          <Button type="submit" look="primary">
            {texts.save}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function endAt(ending: Exclude<Ending, 'kept'>): string | null {
  if (ending === 'never') return null
  const end = new Date()
  if (ending === 'today') end.setHours(24, 0, 0, 0)
  else end.setSeconds(end.getSeconds() + Number(ending))
  return end.toISOString()
}
