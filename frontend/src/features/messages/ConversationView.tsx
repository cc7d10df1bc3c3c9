import { Suspense, useCallback, useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { useClosed, useThread } from '@/lib-react/chat'
import { lazily } from '@/lib-react/lazily'
import { useLive } from '@/lib-react/session'
import { mayNow } from '@synctalk/client/chat/closed'
import { titleOf } from '@/lib/chat/names'
import { isThreadOnly, pathOf } from '@synctalk/client/chat/replies'
import { may } from '@synctalk/client/chat/rights'
import type { Summary } from '@synctalk/client/chat/summaries'
import { texts } from '@/lib/text/texts'
import { Composer } from './Composer'
import { DropZone } from './files/DropZone'
import { History } from './History'
import { MessageDoings } from './MessageDoings'
import { TypingLine } from './TypingLine'
import type { Jump } from './useJump'
import { useWriting } from './useWriting'

const ClosedComposer = lazily(() => import('./ClosedComposer'))
const SlowMode = lazily(() => import('./SlowMode'))

interface ViewProps {
  summary: Summary
  focusKey: string | null
  /** The message that the address names; each time that it is followed, another object. */
  at: Jump | null
}

/** The messages of a conversation, and the composer. Mounted anew for each conversation. */
export function ConversationView({ summary, focusKey, at }: ViewProps) {
  const { id } = summary
  const { chat, typing } = useLive()
  const navigate = useNavigate()
  const writing = useWriting(id, null)
  const { editing } = writing
  const [jump, setJump] = useState(at)
  const [followed, setFollowed] = useState(at)
  if (at !== followed) {
    setFollowed(at)
    setJump(at)
  }
  const closed = useClosed(summary)
  useMarks(id)
  useEffect(() => typing.stop, [typing])

  const onJump = useCallback(
    (seq: number) => {
      const message = chat.thread(id).messages.get(seq)
      if (message !== undefined && isThreadOnly(message)) void navigate(pathOf(message))
      else setJump({ seq, focus: true })
    },
    [chat, id, navigate],
  )

  return (
    <MessageDoings
      conversationId={id}
      threadId={null}
      closed={closed?.why ?? null}
      onReply={writing.onReply}
      onEdit={writing.onEdit}
      onTakeBack={writing.onTakeBack}
      onJump={onJump}
    >
      <DropZone place={id} closed={closed !== null}>
        <History
          summary={summary}
          sentCount={writing.sentCount}
          editingId={editing?.id ?? null}
          jump={jump}
        />
        <TypingLine place={id} />
        {summary.slowModeS > 0 && closed === null && !may('sendAtOnce', summary) && (
          <Suspense>
            <SlowMode summary={summary} />
          </Suspense>
        )}
        {closed !== null && (editing === null || !mayNow('edit', summary, closed.why)) ? (
          <Suspense>
            <ClosedComposer closed={closed} peerId={summary.peer?.id ?? null} />
          </Suspense>
        ) : (
          <Composer
            key={editing?.id ?? 'new'}
            conversationId={id}
            threadId={null}
            label={texts.composer.placeholder(titleOf(summary))}
            editing={editing}
            replying={writing.replying}
            focusKey={focusKey}
            onEditLast={(unwanted) => void writing.onEditLast(unwanted)}
            onEditEnd={writing.onEditEnd}
            onReplyEnd={writing.onReplyEnd}
            onSent={writing.onSent}
          />
        )}
      </DropZone>
    </MessageDoings>
  )
}

/** The others' marks come with the members; without them every own message would only look sent. */
function useMarks(id: string): void {
  const { loader } = useLive()
  const { membersLoaded, marksMissed, marksReadAt } = useThread(id)
  useEffect(() => {
    // A failure costs only the marks; the details pane shows and repeats it.
    if (!membersLoaded || marksReadAt < marksMissed) loader.loadMembers(id).catch(() => undefined)
  }, [loader, id, membersLoaded, marksMissed, marksReadAt])
}
