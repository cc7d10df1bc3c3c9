import type { Outgoing } from '@synctalk/client/chat/state'
import { texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { useMessageActions } from './actions'
import { FilesPlace } from './files/FilesPlace'
import { MessageBody } from './MessageBody'
import { Quote } from './Quote'
import type { Action } from './rowAction'
import { RowFrame } from './RowFrame'
import { SendingMark } from './SendingMark'
import { memo } from '@/lib-react/language'

const t = texts.messages

interface OutgoingRowProps {
  item: Outgoing
  first: boolean
  me: string
}

/** An own message on its way. Until it is in flight it can be taken back; a failed one shows why. */
export const OutgoingRow = memo(function OutgoingRow({ item, first, me }: OutgoingRowProps) {
  const { outbox } = useLive()
  const { takeBack } = useMessageActions()
  const { sending } = item
  const failed = sending.state === 'failed'
  const actions: Action[] =
    sending.state === 'sending'
      ? []
      : [
          { icon: 'pencil', label: t.takeBack, run: () => takeBack(item) },
          { icon: 'trash', label: t.discard, run: () => outbox.takeBack(item) },
        ]
  return (
    <RowFrame
      senderId={me}
      createdAt={item.created_at}
      first={first}
      mark={<SendingMark state={failed ? 'failed' : 'sending'} />}
      markShown
      actions={actions}
    >
      {item.reply_to !== null && <Quote conversationId={item.conversation_id} messageId={item.reply_to} />}
      <div className={failed ? '' : 'opacity-75'}>
        {item.body !== '' && <MessageBody id={item.client_message_id} body={item.body} />}
        <FilesPlace files={item.files} />
      </div>
      {failed && (
        <p className="mt-0.5 flex flex-wrap items-center gap-x-3 text-meta text-danger">
          <span>
            {t.failed}. {t.failures[sending.reason] ?? t.failures.other}
          </span>
          <button
            type="button"
            className="rounded-control font-semibold underline-offset-2 hover:underline pointer-coarse:min-h-11"
            onClick={() => void outbox.retry(item)}
          >
            {t.retry}
          </button>
        </p>
      )}
    </RowFrame>
  )
})
