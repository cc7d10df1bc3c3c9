import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Button, IconButton } from '@/components/Button'
import { Problem } from '@/components/Field'
import { Select } from '@/components/Select'
import { Bone, Failed, Loading } from '@/components/States'
import { useCopy } from '@/components/useCopy'
import { CallError } from '@synctalk/client/errors'
import { dayAndTimeInWords, durationInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { createInvite, deleteInvite, listInvites, type Invite } from './api'
import { useWork } from './useWork'

const t = lazyTexts.invites
const LIFETIMES = [3_600, 86_400, 604_800, 2_592_000]
const USES = [1, 5, 10, 25, 100]
const NONE = ''

/** Links by which others come in: make one, copy it, take it back. */
export function InviteList({ conversationId }: { conversationId: string }) {
  const { rest } = useLive()
  const queries = useQueryClient()
  const copy = useCopy()
  const key = ['invites', conversationId]
  const query = useQuery({ queryKey: key, queryFn: () => listInvites(rest, conversationId), staleTime: 0 })
  const { busy, failed, run } = useWork()
  const [lifetime, setLifetime] = useState('604800')
  const [uses, setUses] = useState(NONE)
  const refresh = (): Promise<void> => queries.invalidateQueries({ queryKey: key })

  const create = (): void =>
    run(async () => {
      await createInvite(rest, conversationId, {
        ...(lifetime !== NONE && { expires_in_s: Number(lifetime) }),
        ...(uses !== NONE && { max_uses: Number(uses) }),
      })
      await refresh()
    })

  return (
    <div className="flex flex-col gap-3">
      <p className="text-meta text-text-muted">{t.lead}</p>
      {failed !== null && <Problem>{failed}</Problem>}
      <div className="flex gap-3">
        <Select
          label={t.lifetime}
          value={lifetime}
          options={[
            ...LIFETIMES.map((s) => ({ value: String(s), text: durationInWords(s) })),
            { value: NONE, text: t.never },
          ]}
          onChange={setLifetime}
          className="min-w-0 flex-1"
        />
        <Select
          label={t.maxUses}
          value={uses}
          options={[
            { value: NONE, text: t.noLimit },
            ...USES.map((n) => ({ value: String(n), text: t.times(n) })),
          ]}
          onChange={setUses}
          className="min-w-0 flex-1"
        />
      </div>
      <Button busy={busy} onClick={create} className="self-start">
        {t.create}
      </Button>
      {query.isError ? (
        <Failed
          text={failureText(query.error instanceof CallError ? query.error.code : 'other')}
          onRetry={() => void query.refetch()}
        />
      ) : query.isPending ? (
        <Loading>
          <Bone className="h-12 w-full" />
        </Loading>
      ) : query.data.length === 0 ? (
        <p className="text-meta text-text-faint">{t.none}</p>
      ) : (
        <ul aria-label={t.title} className="flex flex-col gap-1">
          {query.data.map((invite) => (
            <InviteRow
              key={invite.code}
              invite={invite}
              onCopy={() => copy(invite.url)}
              onDelete={() =>
                run(async () => {
                  await deleteInvite(rest, conversationId, invite.code)
                  await refresh()
                })
              }
            />
          ))}
        </ul>
      )}
    </div>
  )
}

interface RowProps {
  invite: Invite
  onCopy: () => void
  onDelete: () => void
}

function InviteRow({ invite, onCopy, onDelete }: RowProps) {
  const used = invite.max_uses === null ? t.used(invite.uses) : t.usedOf(invite.uses, invite.max_uses)
  const until = invite.expires_at === null ? t.neverExpires : t.expires(dayAndTimeInWords(invite.expires_at))
  const short = invite.url.replace(/^https?:\/\//, '')
  return (
    <li className="flex min-h-12 items-center gap-1 rounded-control border border-border ps-3 pe-1">
      <span className="min-w-0 flex-1 py-1.5">
        <span dir="ltr" className="block truncate text-start text-meta font-medium" title={invite.url}>
          {short}
        </span>
        <span className="block text-small text-text-muted">
          {used} · {until}
        </span>
      </span>
      <IconButton icon="copy" size={18} label={t.copyOf(invite.code)} title={t.copy} onClick={onCopy} />
      <IconButton
        icon="trash"
        size={18}
        label={t.deleteOf(invite.code)}
        title={t.delete}
        onClick={onDelete}
      />
    </li>
  )
}
