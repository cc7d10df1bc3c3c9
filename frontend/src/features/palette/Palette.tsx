import { useQuery } from '@tanstack/react-query'
import { useId, useState, type KeyboardEvent, type ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { Avatar } from '@/components/Avatar'
import { ConversationAvatar } from '@/components/ConversationAvatar'
import { Dialog } from '@/components/Dialog'
import { Icon, type IconName } from '@/components/Icon'
import { usePage } from '@/lib-react/page'
import { useConversations, useMe } from '@/lib-react/chat'
import { fits, matching } from '@/lib/chat/matching'
import { nameOf, titleOf } from '@/lib/chat/names'
import { CallError } from '@synctalk/client/errors'
import { isComposing, nextIndex } from '@/lib-react/keys'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'

const t = lazyTexts.palette
const MAX_CONVERSATIONS = 7
const MAX_USERS = 5

interface Entry {
  key: string
  group: string
  text: string
  lead: ReactNode
  run: () => void
}

interface PaletteProps {
  onClose: () => void
  /** Show what all keys do. */
  onHelp: () => void
}

/** Ctrl-K: go to any conversation, user or command by typing. */
export default function Palette({ onClose, onHelp }: PaletteProps) {
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const listId = useId()
  const entries = useEntries(text, onHelp)
  const at = Math.min(active, Math.max(0, entries.length - 1))

  function run(entry: Entry | undefined): void {
    if (entry === undefined) return
    onClose()
    entry.run()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (isComposing(event)) return
    if (event.key === 'Enter') {
      event.preventDefault()
      run(entries[at])
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const next = nextIndex(event, at, entries.length) ?? 0
      setActive(next)
      document.getElementById(`${listId}-${String(next)}`)?.scrollIntoView({ block: 'nearest' })
    }
  }

  return (
    <Dialog title={t.title} hideTitle wide onClose={onClose}>
      <div className="flex items-center gap-3 border-b border-border px-4">
        <Icon name="search" size={18} className="text-text-faint" />
        <input
          data-autofocus
          role="combobox"
          aria-expanded={entries.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={entries.length > 0 ? `${listId}-${String(at)}` : undefined}
          aria-label={t.title}
          placeholder={t.placeholder}
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setActive(0)
          }}
          onKeyDown={onKeyDown}
          className="h-13 min-w-0 flex-1 bg-transparent text-title outline-none"
        />
        <kbd className="hidden rounded-[4px] border border-border px-1.5 text-small text-text-faint sm:block">
          {t.escapeKey}
        </kbd>
      </div>
      <div id={listId} role="listbox" aria-label={t.title} className="min-h-24 flex-1 overflow-y-auto p-2">
        {entries.length === 0 && (
          <p className="px-3 py-6 text-center text-meta text-text-muted">{t.nothing}</p>
        )}
        {entries.map((entry, index) => (
          <div key={entry.key} role="presentation">
            {entry.group !== entries[index - 1]?.group && (
              <p role="presentation" className="px-2.5 pt-2 pb-1 text-small font-semibold text-text-faint">
                {entry.group}
              </p>
            )}
            {/* The focus stays in the field, which handles the keys. */}
            {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events */}
            <div
              id={`${listId}-${String(index)}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              onClick={() => run(entry)}
              onMouseMove={() => setActive(index)}
              className={`flex min-h-10 cursor-pointer items-center gap-3 rounded-control px-2.5 pointer-coarse:min-h-11 ${index === at ? 'bg-bg-hover' : ''}`}
            >
              {entry.lead}
              <bdi className="truncate">{entry.text}</bdi>
            </div>
          </div>
        ))}
      </div>
    </Dialog>
  )
}

const lead = (name: IconName): ReactNode => (
  <span className="flex size-7 shrink-0 items-center justify-center text-text-muted">
    <Icon name={name} size={18} />
  </span>
)

function useEntries(text: string, onHelp: () => void): Entry[] {
  const { theme, toasts } = usePage()
  const navigate = useNavigate()
  const { conversations: conversationActions } = useLive()
  const me = useMe()
  const conversations = matching(useConversations(), text).slice(0, MAX_CONVERSATIONS)
  const search = text.trim()
  const users = useQuery({
    queryKey: ['users', search],
    queryFn: ({ signal }) => conversationActions.searchUsers(search, signal),
    enabled: search !== '',
    staleTime: 10_000,
    placeholderData: (previous) => previous,
  })
  // Until the results for what is typed are there, the previous ones stay, as far as they match: Enter takes what is shown.
  const found = (users.data ?? []).filter(
    (user) => !users.isPlaceholderData || fits(`${nameOf(user)} ${user.username}`, search),
  )
  const known = new Set(conversations.map(({ peer }) => peer?.id))
  const go = (path: string) => () => void navigate(path)
  const write = (userId: string) => () => {
    conversationActions.startDirect(userId).then(
      (id) => navigate(`/c/${id}`),
      (error: unknown) => toasts.show(failureText(error instanceof CallError ? error.code : 'other')),
    )
  }

  const commands: [string, IconName, () => void][] = [
    [texts.search.title, 'search', go(`/search?q=${encodeURIComponent(search)}`)],
    [texts.conversations.new, 'compose', go('/new')],
    [lazyTexts.start.newGroup, 'group', go('/new/group')],
    [lazyTexts.channels.title, 'hash', go('/channels')],
    [lazyTexts.settings.title, 'settings', go('/settings')],
    [lazyTexts.shortcuts.title, 'info', onHelp],
    [`${lazyTexts.settings.theme}: ${lazyTexts.settings.themes.light}`, 'sun', () => theme.choose('light')],
    [`${lazyTexts.settings.theme}: ${lazyTexts.settings.themes.dark}`, 'sun', () => theme.choose('dark')],
    [`${lazyTexts.settings.theme}: ${lazyTexts.settings.themes.system}`, 'sun', () => theme.choose('system')],
  ]
  const wanted = search.toLocaleLowerCase()
  return [
    ...conversations.map((summary) => ({
      key: summary.id,
      group: t.conversations,
      text: titleOf(summary),
      lead: <ConversationAvatar summary={summary} size={28} />,
      run: go(`/c/${summary.id}`),
    })),
    ...(search === '' ? [] : found)
      .filter((user) => user.id !== me && !known.has(user.id))
      .slice(0, MAX_USERS)
      .map((user) => ({
        key: user.id,
        group: t.users,
        text: `${nameOf(user)} · @${user.username}`,
        lead: <Avatar id={user.id} name={nameOf(user)} url={user.avatar_url} size={28} />,
        run: write(user.id),
      })),
    ...commands
      .filter(([name]) => name.toLocaleLowerCase().includes(wanted))
      .map(([name, icon, run]) => ({ key: name, group: t.commands, text: name, lead: lead(icon), run })),
  ]
}
