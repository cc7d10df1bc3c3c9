import { Dialog } from 'radix-ui'
import { texts } from '@/lib/text/texts'
import { Icon, type IconName } from './Icon'

interface SheetProps {
  title: string
  actions: readonly { icon: IconName; label: string; run: () => void }[]
  onClose: () => void
}

const ITEM =
  'flex min-h-12 w-full items-center gap-3 rounded-control px-4 text-start text-message hover:bg-bg-hover -outline-offset-2'

/** At the lower edge of a touch screen: what can be done, within the thumb's reach. */
export default function ActionSheet({ title, actions, onClose }: SheetProps) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-appear bg-shade" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-0 bottom-0 z-50 mx-auto max-w-md animate-rise rounded-t-card bg-bg-float p-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] shadow-float outline-none"
        >
          <Dialog.Title className="sr-only">{title}</Dialog.Title>
          {actions.map(({ icon, label, run }) => (
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
