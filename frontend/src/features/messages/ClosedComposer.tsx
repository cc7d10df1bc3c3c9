import { Button } from '@/components/Button'
import { Icon, type IconName } from '@/components/Icon'
import type { Closed } from '@synctalk/client/chat/closed'
import { CallError } from '@synctalk/client/errors'
import { dayAndTimeInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'

const t = lazyTexts.closed

const ICONS: Record<Closed['why'], IconName> = {
  archived: 'archive',
  posting: 'lock',
  muted: 'voice',
  blocked: 'ban',
}

function wordsOf(closed: Closed): string {
  if (closed.why !== 'muted') return t[closed.why]
  return closed.until === null ? t.muted : t.mutedUntil(dayAndTimeInWords(closed.until))
}

/** In the composer's place, where one cannot write: why. */
export default function ClosedComposer({ closed, peerId }: { closed: Closed; peerId: string | null }) {
  const { blocks } = useLive()
  const toast = useToast()
  const unblock = (userId: string): void => {
    blocks
      .unblock(userId)
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }
  return (
    <div className="mx-auto w-full max-w-column px-2 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-4">
      <div
        role="status"
        className="flex min-h-11 flex-wrap items-center justify-center gap-x-3 gap-y-1 rounded-card border border-border bg-bg-raised px-4 py-2 text-meta text-text-muted"
      >
        <Icon name={ICONS[closed.why]} size={18} className="shrink-0" />
        <span>{wordsOf(closed)}</span>
        {closed.why === 'blocked' && peerId !== null && (
          <Button onClick={() => unblock(peerId)}>{lazyTexts.blocks.unblock}</Button>
        )}
      </div>
    </div>
  )
}
