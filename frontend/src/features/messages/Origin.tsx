import type { ReactNode } from 'react'
import { useNavigate } from 'react-router'
import type { Message } from '@synctalk/client/contracts'
import { Icon } from '@/components/Icon'
import { useMessage, useUser } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import { texts } from '@/lib/text/texts'

const LINE = 'flex h-5 max-w-full items-center gap-1.5 text-small text-text-muted'

/** Above a message: that it is pinned, and that somebody else has written it. */
export function Origin({ message }: { message: Message }) {
  const { pinned_by, forwarded_from } = message
  return (
    <>
      {pinned_by != null && <Pinned by={pinned_by} />}
      {forwarded_from != null && <Forwarded {...forwarded_from} />}
    </>
  )
}

function Pinned({ by }: { by: string }) {
  const user = useUser(by)
  return (
    <p className={LINE}>
      <Icon name="pin" size={14} className="shrink-0 text-accent-ink" />
      <span className="truncate">{texts.pins.by(nameOf(user))}</span>
    </p>
  )
}

interface Source {
  conversation_id: string | null
  message_id: string | null
  sender_id: string | null
}

/** Where it comes from, and the way there, where that is for everybody to see. */
function Forwarded({ conversation_id, message_id, sender_id }: Source) {
  const icon = <Icon name="forward" size={14} className="shrink-0 text-text-faint" />
  if (conversation_id === null || message_id === null || sender_id === null) {
    return (
      <p className={LINE}>
        {icon}
        {texts.forward.forwarded}
      </p>
    )
  }
  return <From conversationId={conversation_id} messageId={message_id} senderId={sender_id} icon={icon} />
}

interface FromProps {
  conversationId: string
  messageId: string
  senderId: string
  icon: ReactNode
}

function From({ conversationId, messageId, senderId, icon }: FromProps) {
  const sender = useUser(senderId)
  const source = useMessage(conversationId, messageId)
  const navigate = useNavigate()
  const words = <span className="truncate">{texts.forward.from(nameOf(sender))}</span>
  // One may be no member there.
  if (source === undefined || source.deleted_at !== null) {
    return (
      <p className={LINE}>
        {icon}
        {words}
      </p>
    )
  }
  return (
    <button
      type="button"
      title={texts.messages.toQuoted}
      onClick={() => void navigate(`/c/${conversationId}?at=${String(source.seq)}`)}
      className={`${LINE} rounded-control underline-offset-2 hover:text-text hover:underline`}
    >
      {icon}
      {words}
    </button>
  )
}
