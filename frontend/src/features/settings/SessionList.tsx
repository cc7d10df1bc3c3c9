import { useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Session } from '@synctalk/client/contracts'
import { Button } from '@/components/Button'
import { Confirm } from '@/components/Dialog'
import { Icon } from '@/components/Icon'
import { Bone, Failed, Loading } from '@/components/States'
import { CallError } from '@synctalk/client/errors'
import { ago, fullTime } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useNow, useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { endSession, listSessions } from './api'

const t = lazyTexts.settings
const KEY = ['sessions']

/** Where one is signed in; each other place can be signed out from here. */
export function SessionList() {
  const { rest } = useLive()
  const query = useQuery({ queryKey: KEY, queryFn: () => listSessions(rest), staleTime: 0 })
  if (query.isError) {
    const code = query.error instanceof CallError ? query.error.code : 'other'
    return <Failed text={failureText(code)} onRetry={() => void query.refetch()} />
  }
  if (query.isPending) {
    return (
      <Loading>
        <Bone className="mb-3 h-12 w-full" />
        <Bone className="h-12 w-full" />
      </Loading>
    )
  }
  return (
    <>
      <ul className="flex flex-col gap-1">
        {query.data.map((session) => (
          <SessionRow key={session.session_id} session={session} />
        ))}
      </ul>
      <EndOthers sessions={query.data.filter(({ current }) => !current)} />
    </>
  )
}

/** Worth a button of its own where there are several. */
function EndOthers({ sessions }: { sessions: readonly Session[] }) {
  const toast = useToast()
  const { rest } = useLive()
  const queries = useQueryClient()
  const [asking, setAsking] = useState(false)
  const ending = useMutation({
    mutationFn: async () => {
      for (const { session_id } of sessions) await endSession(rest, session_id)
    },
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
    onError: (error) => toast(failureText(error instanceof CallError ? error.code : 'other')),
  })
  if (sessions.length < 2) return null
  return (
    <>
      <Button look="danger" busy={ending.isPending} onClick={() => setAsking(true)} className="mt-3">
        {t.endOthers}
      </Button>
      {asking && (
        <Confirm
          question={t.endOthersQuestion(sessions.length)}
          action={t.endSession}
          onConfirm={() => ending.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}

function SessionRow({ session }: { session: Session }) {
  const toast = useToast()
  const now = useNow()
  const { rest } = useLive()
  const queries = useQueryClient()
  const ending = useMutation({
    mutationFn: () => endSession(rest, session.session_id),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
    onError: (error) => toast(failureText(error instanceof CallError ? error.code : 'other')),
  })
  const name = session.device_name ?? t.unknownDevice
  return (
    <li className="flex min-h-14 items-center gap-3">
      <span className="flex size-9 shrink-0 items-center justify-center rounded-control bg-bg-raised text-text-muted">
        <Icon name="device" />
      </span>
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{name}</span>
        <span className="block truncate text-meta text-text-muted" title={fullTime(session.created_at)}>
          {session.current ? t.thisDevice : t.lastUsed(ago(session.last_used_at, now))}
          {' · '}
          {t.signedIn(ago(session.created_at, now))}
        </span>
      </span>
      {!session.current && (
        <Button
          look="danger"
          aria-label={t.endSessionOf(name)}
          busy={ending.isPending}
          onClick={() => ending.mutate()}
        >
          {t.endSession}
        </Button>
      )}
    </li>
  )
}
