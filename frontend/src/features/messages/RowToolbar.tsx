import { Suspense, useState } from 'react'
import { IconButton } from '@/components/Button'
import { lazily } from '@/lib-react/lazily'
import { useEmojiUse } from '@/lib-react/page'
import { texts } from '@/lib/text/texts'
import type { Action } from './RowFrame'

const EmojiPopover = lazily(() => import('@/components/emoji/EmojiPopover'))

/** So many of the latest emoji are one click away. */
const AT_HAND = 3

interface ToolbarProps {
  actions: readonly Action[]
  onReact: ((emoji: string) => void) | undefined
  /** The toolbar stays while an emoji is being chosen. */
  onChoosing: (choosing: boolean) => void
}

/** What can be done with a message, over its upper edge. */
export function RowToolbar({ actions, onReact, onChoosing }: ToolbarProps) {
  return (
    <div
      role="group"
      aria-label={texts.messages.actions}
      className="absolute -top-4 end-8 z-10 flex rounded-control border border-border-strong bg-bg-float pointer-coarse:hidden"
    >
      {onReact !== undefined && <QuickReactions onReact={onReact} onChoosing={onChoosing} />}
      {actions.map(({ icon, label, key, run }) => (
        <IconButton
          key={label}
          icon={icon}
          size={16}
          label={label}
          title={key === undefined ? label : `${label} (${key.toUpperCase()})`}
          className="size-8!"
          onClick={run}
        />
      ))}
    </div>
  )
}

interface QuickProps {
  onReact: (emoji: string) => void
  onChoosing: (choosing: boolean) => void
}

function QuickReactions({ onReact, onChoosing }: QuickProps) {
  const { recent } = useEmojiUse()
  const [choosing, setChoosing] = useState(false)
  const choose = (next: boolean): void => {
    setChoosing(next)
    onChoosing(next)
  }
  const button = (
    <IconButton
      icon="smile"
      size={16}
      label={texts.reactions.add}
      aria-haspopup="dialog"
      data-react
      className="size-8!"
      {...(!choosing && { onClick: () => choose(true) })}
    />
  )
  return (
    <>
      {recent.slice(0, AT_HAND).map((emoji) => (
        <button
          key={emoji}
          type="button"
          aria-label={texts.reactions.with(emoji)}
          title={texts.reactions.with(emoji)}
          onClick={() => onReact(emoji)}
          className="flex size-8 items-center justify-center rounded-control text-[16px] leading-none hover:bg-bg-hover"
        >
          {emoji}
        </button>
      ))}
      {choosing ? (
        <Suspense fallback={button}>
          <EmojiPopover trigger={button} onPick={onReact} onClose={() => choose(false)} />
        </Suspense>
      ) : (
        button
      )}
    </>
  )
}
