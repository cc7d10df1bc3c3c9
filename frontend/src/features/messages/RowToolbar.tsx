import { Suspense, useState } from 'react'
import { IconButton } from '@/components/Button'
import { lazily } from '@/lib-react/lazily'
import { useEmojiUse } from '@/lib-react/page'
import { texts } from '@/lib/text/texts'
import type { Action } from './rowAction'

const RowMenu = lazily(() => import('./RowMenu'))
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
  const atHand = actions.filter(({ more }) => more !== true)
  const more = actions.filter((action) => action.more === true)
  return (
    <div
      role="group"
      aria-label={texts.messages.actions}
      className="absolute -top-4 end-8 z-10 flex rounded-control border border-border-strong bg-bg-float pointer-coarse:hidden"
    >
      {onReact !== undefined && <QuickReactions onReact={onReact} onChoosing={onChoosing} />}
      {atHand.map(({ icon, label, key, run }) => (
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
      {more.length > 0 && <More actions={more} onChoosing={onChoosing} />}
    </div>
  )
}

/** The menu is loaded when it is first wanted. */
function More({ actions, onChoosing }: Pick<ToolbarProps, 'actions' | 'onChoosing'>) {
  const [open, setOpen] = useState(false)
  const choose = (next: boolean): void => {
    setOpen(next)
    onChoosing(next)
  }
  const button = (
    <IconButton
      icon="more"
      size={16}
      label={texts.messages.moreActions}
      aria-haspopup="menu"
      className="size-8!"
      {...(!open && { onClick: () => choose(true) })}
    />
  )
  return open ? (
    <Suspense fallback={button}>
      <RowMenu trigger={button} actions={actions} onClose={() => choose(false)} />
    </Suspense>
  ) : (
    button
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
