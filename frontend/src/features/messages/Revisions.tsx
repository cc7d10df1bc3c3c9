import { useQuery } from '@tanstack/react-query'
import type { Message } from '@synctalk/client/contracts'
import { Dialog } from '@/components/Dialog'
import { Bone, Failed, Loading } from '@/components/States'
import { useMessage } from '@/lib-react/chat'
import { useLive } from '@/lib-react/session'
import { CallError } from '@synctalk/client/errors'
import { fullTime } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'

const t = lazyTexts.revisions

/** The earlier texts of a message, and the present one; a further change while it is open is shown too. */
export default function Revisions({ message: opened, onClose }: { message: Message; onClose: () => void }) {
  const { messages } = useLive()
  const message = useMessage(opened.conversation_id, opened.id) ?? opened
  const query = useQuery({
    queryKey: ['revisions', message.id, message.edited_at],
    queryFn: () => messages.revisions(message),
    placeholderData: (previous) => previous,
  })
  return (
    <Dialog title={t.title} onClose={onClose}>
      <div className="min-h-32 flex-1 overflow-y-auto overscroll-contain px-4 py-3">
        {query.isError ? (
          <Failed
            text={failureText(query.error instanceof CallError ? query.error.code : 'other')}
            onRetry={() => void query.refetch()}
          />
        ) : query.isPending ? (
          <Loading>
            <Bone className="h-16 w-full" />
          </Loading>
        ) : (
          <ol className="flex flex-col gap-3">
            {query.data.map(({ body, edited_at }) => (
              <Text key={edited_at} when={t.until(fullTime(edited_at))} body={body} />
            ))}
            <Text when={t.now} body={message.body} current />
          </ol>
        )}
      </div>
    </Dialog>
  )
}

const Text = ({ when, body, current = false }: { when: string; body: string; current?: boolean }) => (
  <li className={`border-s-2 ps-3 ${current ? 'border-accent' : 'border-border-strong'}`}>
    <p className="text-small text-text-muted">{when}</p>
    <p dir="auto" className="text-message wrap-anywhere whitespace-pre-wrap">
      {body}
    </p>
  </li>
)
