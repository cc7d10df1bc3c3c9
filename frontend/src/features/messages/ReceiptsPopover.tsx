import { Popover } from 'radix-ui'
import type { ReactNode } from 'react'
import { texts } from '@/lib/text/texts'
import { Receipts } from './Receipts'

interface PopoverProps {
  trigger: ReactNode
  conversationId: string
  seq: number
}

/** Who has read a message, hanging from its mark; open from the start, as the click that loaded it wished. */
export default function ReceiptsPopover({ trigger, conversationId, seq }: PopoverProps) {
  return (
    <Popover.Root defaultOpen>
      <Popover.Trigger asChild>{trigger}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="top"
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label={texts.messages.receipts}
          className="z-50 max-h-80 w-60 animate-appear overflow-y-auto rounded-card bg-bg-float p-3 shadow-float outline-none"
        >
          <Receipts conversationId={conversationId} seq={seq} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
