import { Link } from 'react-router'
import { Icon } from '@/components/Icon'
import { ConversationList } from '@/features/conversations/ConversationList'
import { AskForNotifications } from '@/features/notifications/AskForNotifications'
import { useIsGuest } from '@/lib-react/session'
import { useUnreadThreads } from '@/lib-react/threads'
import { texts } from '@/lib/text/texts'
import { Account } from './Account'
import { ListWidth, useListWidth } from './ListWidth'
import { atMost } from '@/lib/text/inUse'

const t = texts.conversations

/** To the threads that one follows, with how many have something new. */
function ThreadsLink() {
  const unread = useUnreadThreads()
  const label = unread > 0 ? texts.threads.titleUnread(unread) : texts.threads.title
  return (
    <Link
      to="/threads"
      aria-label={label}
      title={label}
      className="relative flex size-8 shrink-0 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11"
    >
      <Icon name="thread" />
      {unread > 0 && (
        <span className="figures absolute end-0 top-0 flex h-4 min-w-4 items-center justify-center rounded-full bg-accent px-1 text-[11px] leading-none font-semibold text-accent-text">
          {atMost(unread, 9)}
        </span>
      )}
    </Link>
  )
}

export function Sidebar({ currentId, shown }: { currentId: string | null; shown: boolean }) {
  const [width, setWidth] = useListWidth()
  const isGuest = useIsGuest()
  return (
    <>
      <section
        aria-label={t.title}
        style={{ '--list-width': `${String(width)}px` } as React.CSSProperties}
        className={`w-full shrink-0 flex-col bg-bg-raised [--surface:var(--bg-raised)] md:flex md:w-(--list-width) ${shown ? 'flex' : 'hidden'}`}
      >
        <header className="flex h-14 shrink-0 items-center ps-3 pe-2">
          <Account />
          <ThreadsLink />
          <Link
            to="/mentions"
            aria-label={texts.mentions.title}
            title={texts.mentions.title}
            className="flex size-8 shrink-0 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11"
          >
            <Icon name="at" />
          </Link>
          <Link
            to="/search"
            aria-label={texts.search.title}
            title={texts.search.title}
            className="flex size-8 shrink-0 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11"
          >
            <Icon name="search" />
          </Link>
          {!isGuest && (
            <Link
              to="/new"
              aria-label={t.new}
              title={t.new}
              className="flex size-8 shrink-0 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11"
            >
              <Icon name="compose" />
            </Link>
          )}
        </header>
        <ConversationList currentId={currentId} />
        <AskForNotifications />
      </section>
      <ListWidth width={width} onChange={setWidth} />
    </>
  )
}
