import { useEffect } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { useChat, useMe } from '@/lib-react/chat'
import { useLive } from '@/lib-react/session'
import { nameOf } from '@/lib/chat/names'
import { hasReacted, reactionsOf, type Reaction } from '@synctalk/client/chat/reactions'
import { texts } from '@/lib/text/texts'
import { useMessageActions } from './actions'
import { number } from '@/lib/text/inUse'

const t = texts.reactions
/** So many names say enough on hover; all of them are one step further. */
const MAX_NAMES = 12

/** Below a message: each emoji with its count. One's own stand out; a click adds or takes back, or else says who reacted. */
export function Reactions({ message, mayReact }: { message: Message; mayReact: boolean }) {
  const { showReactions } = useMessageActions()
  const reactions = reactionsOf(message)
  if (reactions.length === 0) return null
  return (
    <ul aria-label={t.title} className="flex flex-wrap gap-1 pt-1 pb-0.5">
      {reactions.map((reaction) => (
        <li key={reaction.emoji}>
          <Chip message={message} reaction={reaction} mayReact={mayReact} />
        </li>
      ))}
      <li>
        <button
          type="button"
          onClick={() => showReactions(message)}
          className="inline-flex h-6.5 items-center rounded-full px-2 text-small text-text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:bg-bg-hover hover:text-text focus-visible:opacity-100 pointer-coarse:h-9 pointer-coarse:opacity-100"
        >
          {t.who}
        </button>
      </li>
    </ul>
  )
}

interface ChipProps {
  message: Message
  reaction: Reaction
  mayReact: boolean
}

function Chip({ message, reaction, mayReact }: ChipProps) {
  const { react, showReactions } = useMessageActions()
  const me = useMe()
  const own = hasReacted(message, reaction.emoji, me)
  const names = useNames(reaction, me)
  const { emoji, count } = reaction
  return (
    <button
      type="button"
      {...(mayReact ? { 'aria-pressed': own } : { 'aria-haspopup': 'dialog' as const })}
      aria-label={t.chip(emoji, count)}
      title={names}
      onClick={() => (mayReact ? react(message, emoji) : showReactions(message))}
      className={`inline-flex h-6.5 items-center gap-1 rounded-full border px-2 text-meta transition-colors duration-150 pointer-coarse:h-9 pointer-coarse:px-3 ${own ? 'border-accent bg-accent-soft font-semibold text-accent-ink' : 'border-border-strong bg-bg text-text-muted hover:bg-bg-hover hover:text-text'}`}
    >
      <span className="text-[15px] leading-none">{emoji}</span>
      <span className="figures">{number(count)}</span>
    </button>
  )
}

/** Who reacted, in words; users that are not known yet are loaded. */
function useNames({ userIds, count }: Reaction, me: string): string {
  const { freshness } = useLive()
  const users = useChat((state) => state.users)
  const shown = userIds.slice(0, MAX_NAMES)
  const unknown = shown.filter((id) => users[id] === undefined).join(',')
  useEffect(() => {
    for (const id of unknown.split(',')) if (id !== '') freshness.wantUser(id)
  }, [freshness, unknown])
  return t.names(
    shown.map((id) => (id === me ? texts.you : nameOf(users[id]))),
    count - shown.length,
  )
}
