import { Avatar } from '@/components/Avatar'
import { Dialog } from '@/components/Dialog'
import { useMessage, useUser } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import { reactionsOf } from '@synctalk/client/chat/reactions'
import { texts } from '@/lib/text/texts'
import { number } from '@/lib/text/inUse'

const t = texts.reactions

interface WhoReactedProps {
  conversationId: string
  messageId: string
  onClose: () => void
}

/** Everybody who reacted to a message, by emoji; it stays up to date while it is open. */
export default function WhoReacted({ conversationId, messageId, onClose }: WhoReactedProps) {
  const message = useMessage(conversationId, messageId)
  const reactions = message === undefined ? [] : reactionsOf(message)
  return (
    <Dialog title={t.title} onClose={onClose}>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-4 py-3">
        {reactions.length === 0 && <p className="py-4 text-center text-meta text-text-muted">{t.none}</p>}
        {reactions.map(({ emoji, count, userIds }) => (
          <section key={emoji} aria-label={t.chip(emoji, count)} className="not-first:mt-4">
            <h3 className="mb-1 flex items-center gap-2 text-meta font-semibold text-text-muted">
              <span className="text-[18px] leading-none">{emoji}</span>
              <span className="figures">{number(count)}</span>
            </h3>
            <ul>
              {userIds.map((id) => (
                <Reactor key={id} id={id} />
              ))}
            </ul>
            {count > userIds.length && (
              <p className="text-meta text-text-muted">{t.more(count - userIds.length)}</p>
            )}
          </section>
        ))}
      </div>
    </Dialog>
  )
}

function Reactor({ id }: { id: string }) {
  const user = useUser(id)
  return (
    <li className="flex h-9 items-center gap-2.5">
      <Avatar id={id} name={nameOf(user)} url={user?.avatar_url ?? null} size={24} />
      <bdi className="truncate">{nameOf(user)}</bdi>
      {user !== undefined && <span className="truncate text-meta text-text-muted">@{user.username}</span>}
    </li>
  )
}
