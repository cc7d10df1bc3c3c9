import { Dialog } from 'radix-ui'
import { Suspense, useState } from 'react'
import { lazily } from '@/lib-react/lazily'
import { useEmojiUse } from '@/lib-react/page'
import { texts } from '@/lib/text/texts'
import { Icon, type IconName } from './Icon'

const EmojiPicker = lazily(() => import('./emoji/EmojiPicker'))
/** As many as a thumb reaches. */
const AT_HAND = 5

interface SheetProps {
  title: string
  actions: readonly { icon: IconName; label: string; run: () => void }[]
  /** Given where one may react. */
  onReact?: ((emoji: string) => void) | undefined
  onClose: () => void
}

const ITEM =
  'flex min-h-12 w-full items-center gap-3 rounded-control px-4 text-start text-message hover:bg-bg-hover -outline-offset-2'

/** At the lower edge of a touch screen: what can be done, within the thumb's reach. */
export default function ActionSheet({ title, actions, onReact, onClose }: SheetProps) {
  const [choosing, setChoosing] = useState(false)
  const react = (emoji: string): void => {
    onClose()
    onReact?.(emoji)
  }
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-appear bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-0 bottom-0 z-50 mx-auto max-h-[90dvh] max-w-md animate-rise overflow-y-auto overscroll-contain rounded-t-card bg-bg-float p-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] shadow-float outline-none"
        >
          <Dialog.Title className="sr-only">{title}</Dialog.Title>
          {onReact !== undefined && !choosing && <AtHand onReact={react} onMore={() => setChoosing(true)} />}
          {choosing && (
            <Suspense>
              <EmojiPicker onPick={react} />
            </Suspense>
          )}
          {!choosing &&
            actions.map(({ icon, label, run }) => (
              <button
                key={label}
                type="button"
                className={ITEM}
                onClick={() => {
                  onClose()
                  run()
                }}
              >
                <Icon name={icon} className="text-text-muted" />
                {label}
              </button>
            ))}
          <Dialog.Close className={`${ITEM} text-text-muted`}>
            <Icon name="close" />
            {texts.cancel}
          </Dialog.Close>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function AtHand({ onReact, onMore }: { onReact: (emoji: string) => void; onMore: () => void }) {
  const { recent } = useEmojiUse()
  return (
    <div className="mb-1 flex justify-between border-b border-border px-2 pb-2">
      {recent.slice(0, AT_HAND).map((emoji) => (
        <button
          key={emoji}
          type="button"
          aria-label={texts.reactions.with(emoji)}
          onClick={() => onReact(emoji)}
          className="flex size-11 items-center justify-center rounded-full bg-bg-hover text-[24px] leading-none"
        >
          {emoji}
        </button>
      ))}
      <button
        type="button"
        aria-label={texts.reactions.add}
        onClick={onMore}
        className="flex size-11 items-center justify-center rounded-full bg-bg-hover text-text-muted"
      >
        <Icon name="smile" />
      </button>
    </div>
  )
}
