import { Popover } from 'radix-ui'
import type { ReactNode } from 'react'
import { lazyTexts } from '@/lib/text/lazyTexts'
import EmojiPicker from './EmojiPicker'

interface PopoverProps {
  trigger: ReactNode
  onPick: (emoji: string) => void
  onClose: () => void
}

/** The picker, hanging from its button; open from the start, as the click that loaded it wished. */
export default function EmojiPopover({ trigger, onPick, onClose }: PopoverProps) {
  return (
    <Popover.Root defaultOpen onOpenChange={(open) => !open && onClose()}>
      <Popover.Trigger asChild>{trigger}</Popover.Trigger>
      <Popover.Portal container={document.querySelector('main')}>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label={lazyTexts.emoji.title}
          className="z-50 w-[306px] animate-appear overflow-hidden rounded-card bg-bg-float shadow-float outline-none"
        >
          <EmojiPicker
            onPick={(emoji) => {
              onPick(emoji)
              onClose()
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
