import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { Problem } from '@/components/Field'
import { Bone, Failed, Loading } from '@/components/States'
import { endOf } from '@synctalk/client/chat/closed'
import { nameOf } from '@/lib/chat/names'
import { CallError } from '@synctalk/client/errors'
import { dayAndTimeInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { liftBan, listBans, type Ban } from './api'
import { useWork } from './useWork'

const t = lazyTexts.moderation

/** Who is kept out of the group, why and until when. */
export function BanList({ conversationId }: { conversationId: string }) {
  const { rest } = useLive()
  const queries = useQueryClient()
  const key = ['bans', conversationId]
  const query = useQuery({ queryKey: key, queryFn: () => listBans(rest, conversationId), staleTime: 0 })
  const { busy, failed, run } = useWork()
  if (query.isError) {
    const code = query.error instanceof CallError ? query.error.code : 'other'
    return <Failed text={failureText(code)} onRetry={() => void query.refetch()} />
  }
  if (query.isPending) {
    return (
      <Loading>
        <Bone className="h-12 w-full" />
      </Loading>
    )
  }
  return (
    <div className="flex flex-col gap-2">
      {failed !== null && <Problem>{failed}</Problem>}
      {query.data.length === 0 ? (
        <p className="text-meta text-text-faint">{t.noBans}</p>
      ) : (
        <ul aria-label={t.bans} className="flex flex-col gap-1">
          {query.data.map((ban) => (
            <BanRow
              key={ban.user.id}
              ban={ban}
              busy={busy}
              onLift={() =>
                run(async () => {
                  await liftBan(rest, conversationId, ban.user.id)
                  await queries.invalidateQueries({ queryKey: key })
                })
              }
            />
          ))}
        </ul>
      )}
    </div>
  )
}

function BanRow({ ban, busy, onLift }: { ban: Ban; busy: boolean; onLift: () => void }) {
  const name = nameOf(ban.user)
  const until = ban.until === null ? null : endOf(ban.until)
  return (
    <li className="flex min-h-12 items-center gap-3">
      <Avatar id={ban.user.id} name={name} url={ban.user.avatar_url} size={32} />
      <span className="min-w-0 flex-1">
        <span className="flex leading-5 font-medium">
          <bdi className="truncate">{name}</bdi>
        </span>
        {ban.reason !== '' && (
          <span dir="auto" className="block text-small break-words text-text-muted">
            {ban.reason}
          </span>
        )}
        <span className="block text-small text-text-muted">
          {until === null ? t.untilLifted : t.until(dayAndTimeInWords(until))}
        </span>
      </span>
      <Button busy={busy} aria-label={t.liftBanOf(name)} onClick={onLift}>
        {t.liftBan}
      </Button>
    </li>
  )
}
