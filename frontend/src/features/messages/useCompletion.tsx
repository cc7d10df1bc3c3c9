import {
  useEffect,
  useId,
  useMemo,
  useState,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
} from 'react'
import type { User } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { emojiOf, loadEmoji, shortcodesLike, type Shortcode } from '@/components/emoji/data'
import { useChat, useThread } from '@/lib-react/chat'
import { useLive } from '@/lib-react/session'
import { fits } from '@/lib/chat/matching'
import { nameOf } from '@/lib/chat/names'
import type { Thread } from '@synctalk/client/chat/state'
import { texts } from '@/lib/text/texts'
import { begunAt, endedAt, type Begun } from './completion'

const t = texts.composer
const MAX = 8
const NO_EMOJI: readonly Shortcode[] = []

interface Option {
  key: string
  /** What takes the place of what was typed. */
  insert: string
  lead: ReactNode
  text: string
  note: string
}

type Field = RefObject<HTMLTextAreaElement | null>

/**
 * Completes `@name` by the members and `:shortcode:` by the emoji while one types. The focus stays in the field; the arrows
 * choose, Enter and Tab take, Escape leaves it as it is.
 */
export function useCompletion(field: Field, conversationId: string, onChanged: () => void) {
  const [begun, setBegun] = useState<Begun | null>(null)
  const [active, setActive] = useState(0)
  const listId = useId()
  const options = useOptions(conversationId, begun)
  const open = begun !== null && options.length > 0

  function replace({ start }: Begun, text: string): void {
    const { current } = field
    if (current === null) return
    current.setRangeText(text, start, current.selectionStart, 'end')
    setBegun(null)
    onChanged()
  }

  function look(): void {
    const { current } = field
    if (current === null) return
    const caret = current.selectionStart
    const ended = endedAt(current.value, caret)
    if (ended !== null) void replaceWhole(ended, caret)
    const next = caret === current.selectionEnd ? begunAt(current.value, caret) : null
    if (next?.start !== begun?.start || next?.typed !== begun?.typed) setActive(0)
    setBegun(next)
  }

  /** The emoji of a shortcode that was typed to its end, if there is one and the caret is still there. */
  async function replaceWhole(ended: Begun, caret: number): Promise<void> {
    const emoji = emojiOf(await loadEmoji(), ended.typed)
    if (emoji !== undefined && field.current?.selectionStart === caret) replace(ended, emoji)
  }

  /** Return whether the key was for the list. */
  function onKeyDown(event: KeyboardEvent): boolean {
    if (!open || begun === null || event.altKey || event.ctrlKey || event.metaKey) return false
    const count = options.length
    if (event.key === 'ArrowDown') setActive((active + 1) % count)
    else if (event.key === 'ArrowUp') setActive((active + count - 1) % count)
    else if (event.key === 'Escape') setBegun(null)
    else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab')
      replace(begun, options[Math.min(active, count - 1)]?.insert ?? '')
    else return false
    event.preventDefault()
    event.stopPropagation()
    return true
  }

  const at = Math.min(active, options.length - 1)
  return {
    look,
    close: () => setBegun(null),
    onKeyDown,
    attributes: {
      'aria-autocomplete': 'list' as const,
      'aria-controls': open ? listId : undefined,
      'aria-activedescendant': open ? `${listId}-${String(at)}` : undefined,
    },
    list: open ? (
      <List
        id={listId}
        options={options}
        at={at}
        onActive={setActive}
        onTake={(text) => replace(begun, text)}
      />
    ) : null,
  }
}

function useOptions(conversationId: string, begun: Begun | null): Option[] {
  const thread = useThread(conversationId)
  const users = useChat((state) => state.users)
  const { chat } = useLive()
  const emoji = useEmojiLike(begun?.kind === 'emoji' ? begun.typed : null)
  return useMemo(() => {
    if (begun === null) return []
    if (begun.kind === 'emoji') {
      return emoji.map(({ emoji: text, code }) => ({
        key: code,
        insert: `${text} `,
        lead: (
          <span className="flex size-6 items-center justify-center text-[20px] leading-none">{text}</span>
        ),
        text: `:${code}:`,
        note: '',
      }))
    }
    return membersLike(thread, users, chat.me, begun.typed).map((user) => ({
      key: user.id,
      insert: `@${user.username} `,
      lead: <Avatar id={user.id} name={nameOf(user)} url={user.avatar_url} size={24} />,
      text: nameOf(user),
      note: `@${user.username}`,
    }))
  }, [begun, emoji, thread, users, chat])
}

/** The other members whose name or username fits, those first who wrote last. */
function membersLike(
  { members, messages, snapshot }: Thread,
  users: Readonly<Record<string, User>>,
  me: string,
  typed: string,
): User[] {
  const ids = new Set(snapshot?.peer ? [snapshot.peer.id] : [])
  for (const member of Object.values(members)) if (member.role !== null) ids.add(member.user_id)
  const wroteAt = new Map<string, number>()
  for (const { sender_id, seq } of messages.values())
    wroteAt.set(sender_id, Math.max(wroteAt.get(sender_id) ?? 0, seq))
  return [...ids]
    .flatMap((id) => (id === me ? [] : (users[id] ?? [])))
    .filter((user) => fits(`${nameOf(user)} ${user.username}`, typed))
    .sort((a, b) => (wroteAt.get(b.id) ?? 0) - (wroteAt.get(a.id) ?? 0))
    .slice(0, MAX)
}

function useEmojiLike(typed: string | null): readonly Shortcode[] {
  const [found, setFound] = useState<{ typed: string; emoji: readonly Shortcode[] } | null>(null)
  useEffect(() => {
    if (typed === null) return
    let left = false
    loadEmoji().then(
      (data) => {
        if (!left) setFound({ typed, emoji: shortcodesLike(data, typed, MAX) })
      },
      // Without a connection nothing is offered.
      () => undefined,
    )
    return () => {
      left = true
    }
  }, [typed])
  return typed === null || found === null ? NO_EMOJI : found.emoji
}

interface ListProps {
  id: string
  options: readonly Option[]
  at: number
  onActive: (index: number) => void
  onTake: (text: string) => void
}

const List = ({ id, options, at, onActive, onTake }: ListProps) => (
  <div
    id={id}
    role="listbox"
    aria-label={t.suggestions}
    className="absolute inset-x-0 bottom-full z-20 mb-1 max-h-72 animate-appear overflow-y-auto rounded-card border border-border bg-bg-float p-1.5 shadow-float"
  >
    {options.map((option, index) => (
      // The focus stays in the field, which handles the keys.
      // eslint-disable-next-line jsx-a11y/click-events-have-key-events
      <div
        key={option.key}
        id={`${id}-${String(index)}`}
        role="option"
        tabIndex={-1}
        aria-selected={index === at}
        onPointerDown={(event) => event.preventDefault()}
        onClick={() => onTake(option.insert)}
        onMouseMove={() => onActive(index)}
        className={`flex min-h-9 cursor-pointer items-center gap-2.5 rounded-control px-2 text-meta pointer-coarse:min-h-11 ${index === at ? 'bg-bg-active' : ''}`}
      >
        {option.lead}
        <bdi className="truncate font-medium">{option.text}</bdi>
        <span className="truncate text-text-muted">{option.note}</span>
      </div>
    ))}
  </div>
)
