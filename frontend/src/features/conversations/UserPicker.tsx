import { useQuery } from '@tanstack/react-query'
import { useEffect, useId, useState, type KeyboardEvent, type ReactNode } from 'react'
import type { User } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { Icon } from '@/components/Icon'
import { Bone, Failed, Loading } from '@/components/States'
import { useConversations, useMe } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import { CallError } from '@synctalk/client/errors'
import { isComposing, nextIndex } from '@/lib-react/keys'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'

const t = lazyTexts.start
const SETTLE_MS = 120
/** So many of those one talks to are offered before anything is typed. */
const MAX_CONTACTS = 8
/** Nobody is picked by Enter. */
const NONE = -1

interface PickerProps {
  chosen: readonly User[]
  /** Called with the user that was picked, or picked again to be removed. */
  onPick: (user: User) => void
  /** Who is shown but cannot be picked. */
  taken?: (userId: string) => boolean
  /** Shown while nothing is typed, before those one talks to. */
  children?: ReactNode
}

/** Search for users and pick: a combobox, operated by arrow keys and Enter, or by pointer. */
export function UserPicker({ chosen, onPick, taken = () => false, children }: PickerProps) {
  const [text, setText] = useState('')
  const [active, setActive] = useState(NONE)
  const search = useSettled(text.trim())
  const { conversations } = useLive()
  const me = useMe()
  const listId = useId()
  const query = useQuery({
    queryKey: ['users', search],
    queryFn: ({ signal }) => conversations.searchUsers(search, signal),
    enabled: search !== '',
    staleTime: 10_000,
    placeholderData: (previous) => previous,
  })
  const contacts = useContacts(taken)
  const users = search === '' ? contacts : (query.data ?? []).filter((user) => user.id !== me)
  const at = Math.min(search === '' ? active : Math.max(active, 0), users.length - 1)

  function pick(user: User | undefined): void {
    if (user === undefined || taken(user.id)) return
    onPick(user)
    setText('')
    setActive(NONE)
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (isComposing(event)) return
    if (event.key === 'Enter') {
      event.preventDefault()
      // What is shown must be the results for what is typed.
      if (search === text.trim() && (search === '' || !query.isPlaceholderData)) pick(users[at])
    } else if (event.key === 'Backspace' && text === '' && chosen.length > 0) {
      const last = chosen.at(-1)
      if (last !== undefined) onPick(last)
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setActive(nextIndex(event, at, users.length) ?? 0)
    }
  }

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-1.5 border-b border-border px-4 py-2">
        {chosen.map((user) => (
          <button
            key={user.id}
            type="button"
            aria-label={t.remove(nameOf(user))}
            onClick={() => onPick(user)}
            className="inline-flex h-7 items-center gap-1.5 rounded-full bg-accent-soft ps-1 pe-2 text-meta font-medium text-accent-ink hover:bg-bg-active pointer-coarse:h-9"
          >
            <Avatar id={user.id} name={nameOf(user)} url={user.avatar_url} size={20} />
            {nameOf(user)}
            <Icon name="close" size={12} />
          </button>
        ))}
        {chosen.length === 0 && <Icon name="search" size={18} className="me-1 text-text-faint" />}
        <input
          data-autofocus
          role="combobox"
          aria-expanded={users.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={at === NONE ? undefined : `${listId}-${String(at)}`}
          aria-label={t.findUsers}
          placeholder={t.userPlaceholder}
          autoComplete="off"
          spellCheck={false}
          maxLength={64}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setActive(NONE)
          }}
          onKeyDown={onKeyDown}
          className="h-9 min-w-40 flex-1 bg-transparent text-message outline-none"
        />
      </div>
      <div className="min-h-64 flex-1 overflow-y-auto overscroll-contain p-2">
        {search === '' ? (
          children
        ) : query.isError ? (
          <Failed
            text={failureText(query.error instanceof CallError ? query.error.code : 'other')}
            onRetry={() => void query.refetch()}
          />
        ) : query.isPending ? (
          <Loading>
            <UsersSkeleton />
          </Loading>
        ) : users.length === 0 ? (
          <p role="status" className="px-3 py-6 text-center text-meta break-words text-text-muted">
            {t.nobody(search)}
          </p>
        ) : null}
        <div id={listId} role="listbox" aria-label={t.findUsers} aria-multiselectable="true">
          {users.map((user, index) => (
            <UserOption
              key={user.id}
              id={`${listId}-${String(index)}`}
              user={user}
              active={index === at}
              chosen={chosen.some(({ id }) => id === user.id)}
              taken={taken(user.id)}
              onPick={pick}
              onHover={() => setActive(index)}
            />
          ))}
        </div>
      </div>
    </div>
  )
}

interface OptionProps {
  id: string
  user: User
  active: boolean
  chosen: boolean
  taken: boolean
  onPick: (user: User) => void
  onHover: () => void
}

function UserOption({ id, user, active, chosen, taken, onPick, onHover }: OptionProps) {
  return (
    // The focus stays in the field, which handles the keys.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      aria-disabled={taken}
      onClick={() => onPick(user)}
      onMouseMove={onHover}
      className={`flex min-h-12 cursor-pointer items-center gap-3 rounded-control px-2.5 ${active ? 'bg-bg-hover [--surface:var(--bg-hover)]' : ''} ${taken ? 'opacity-60' : ''}`}
    >
      <Avatar id={user.id} name={nameOf(user)} url={user.avatar_url} size={32} />
      <span className="min-w-0 flex-1">
        <span className="flex text-message leading-5 font-medium">
          <bdi className="truncate">{nameOf(user)}</bdi>
        </span>
        <span className="block truncate text-meta text-text-muted">@{user.username}</span>
      </span>
      {taken && <span className="text-small text-text-muted">{t.alreadyIn}</span>}
      {chosen && <Icon name="check" size={18} className="text-accent-ink" />}
    </div>
  )
}

const UsersSkeleton = () => (
  <>
    {[44, 60, 36].map((width) => (
      <div key={width} className="flex h-12 items-center gap-3 px-2.5">
        <Bone className="size-8 rounded-full!" />
        <div style={{ width: `${String(width)}%` }}>
          <Bone className="h-3.5 w-full" />
        </div>
      </div>
    ))}
  </>
)

/** Those of one's direct conversations, the latest first. */
function useContacts(taken: (userId: string) => boolean): User[] {
  const peers = useConversations().flatMap(({ peer }) => peer ?? [])
  return peers.filter(({ id }) => !taken(id)).slice(0, MAX_CONTACTS)
}

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), value === '' ? 0 : SETTLE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
