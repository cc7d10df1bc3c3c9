import { useState } from 'react'
import { useNavigate } from 'react-router'
import { Button } from '@/components/Button'
import { Confirm } from '@/components/Dialog'
import { Problem } from '@/components/Field'
import { titleOf } from '@/lib/chat/names'
import { may } from '@synctalk/client/chat/rights'
import type { Summary } from '@synctalk/client/chat/summaries'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { useLive } from '@/lib-react/session'
import { Section } from './Section'
import { useWork } from './useWork'

const t = lazyTexts.group

/** Put the group into the archive and take it out again, or delete it. */
export function GroupEnd({ summary }: { summary: Summary }) {
  const { conversations } = useLive()
  const navigate = useNavigate()
  const [asking, setAsking] = useState<'archive' | 'delete' | null>(null)
  const { busy, failed, run } = useWork()
  const { id } = summary
  const archived = summary.archivedAt !== null
  const title = titleOf(summary)
  return (
    <Section title={t.end}>
      <div className="flex flex-col gap-3">
        {failed !== null && <Problem>{failed}</Problem>}
        <p className="text-meta text-text-muted">{archived ? t.unarchiveLead : t.archiveLead}</p>
        <Button
          busy={busy}
          className="self-start"
          onClick={() => (archived ? run(() => conversations.setArchived(id, false)) : setAsking('archive'))}
        >
          {archived ? t.unarchive : t.archive}
        </Button>
        {may('deleteGroup', summary) && (
          <>
            <p className="mt-2 text-meta text-text-muted">{t.deleteLead}</p>
            <Button look="danger" busy={busy} className="self-start" onClick={() => setAsking('delete')}>
              {t.delete}
            </Button>
          </>
        )}
      </div>
      {asking === 'archive' && (
        <Confirm
          question={t.archiveQuestion(title)}
          action={t.archive}
          onConfirm={() => run(() => conversations.setArchived(id, true))}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === 'delete' && (
        <Confirm
          question={t.deleteQuestion(title)}
          action={t.delete}
          onConfirm={() =>
            run(async () => {
              await conversations.deleteGroup(id)
              await navigate('/', { replace: true })
            })
          }
          onClose={() => setAsking(null)}
        />
      )}
    </Section>
  )
}
