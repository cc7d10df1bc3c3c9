import { Suspense, useState } from 'react'
import { Icon, type IconName } from '@/components/Icon'
import { texts } from '@/lib/text/texts'
import { lazilyAsking } from '@/lib-react/asking'

const t = texts.messages

/** How far an own message is. */
export type SendingMarkState = 'sending' | 'sent' | 'delivered' | 'read' | 'failed'

const LOOKS: Record<SendingMarkState, { icon: IconName; colour: string }> = {
  sending: { icon: 'clock', colour: 'text-text-faint' },
  sent: { icon: 'tick', colour: 'text-text-faint' },
  delivered: { icon: 'ticks', colour: 'text-text-faint' },
  read: { icon: 'ticks', colour: 'text-accent-ink' },
  failed: { icon: 'alert', colour: 'text-danger' },
}

const ReceiptsPopover = lazilyAsking(() => import('./ReceiptsPopover'))

interface MarkProps {
  state: SendingMarkState
  /** In a group a click shows who. */
  who?: { conversationId: string; seq: number; readers: number }
}

export function SendingMark({ state, who }: MarkProps) {
  const [asked, setAsked] = useState(false)
  const { icon, colour } = LOOKS[state]
  const some = who !== undefined && who.readers > 0 && state !== 'read'
  const text = some ? t.readBySome(t[state], who.readers) : t[state]
  const mark = <Icon name={icon} size={16} className={colour} />
  if (who === undefined) {
    return (
      <span role="img" aria-label={text} title={text} data-mark={state} className="inline-flex">
        {mark}
      </span>
    )
  }
  const button = (
    <button
      type="button"
      aria-label={t.receiptsFor(text)}
      aria-haspopup="dialog"
      title={text}
      data-mark={state}
      className="relative inline-flex items-center justify-center rounded-[4px] before:absolute before:-inset-1 hover:bg-bg-active pointer-coarse:-m-3.5 pointer-coarse:size-11"
      // What shows who is loaded when it is first wanted; from then on it handles the click itself.
      {...(!asked && { onClick: () => setAsked(true) })}
    >
      {mark}
    </button>
  )
  return asked ? (
    <Suspense fallback={button}>
      <ReceiptsPopover conversationId={who.conversationId} seq={who.seq} trigger={button} />
    </Suspense>
  ) : (
    button
  )
}
