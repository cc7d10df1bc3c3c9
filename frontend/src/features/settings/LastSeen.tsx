import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Select } from '@/components/Select'
import { Bone, Failed, Loading } from '@/components/States'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { readPresenceSettings, setLastSeenVisible, type LastSeenVisible, type PresenceSettings } from './api'

const t = lazyTexts.presence
const KEY = ['presence settings']
const CHOICES: readonly LastSeenVisible[] = ['everyone', 'contacts', 'nobody']

/** Who sees when one was last here; whose is hidden sees nobody else's. */
export function LastSeen() {
  const { rest } = useLive()
  const toast = useToast()
  const queries = useQueryClient()
  const query = useQuery({ queryKey: KEY, queryFn: () => readPresenceSettings(rest), staleTime: 0 })

  async function choose(last_seen_visible: LastSeenVisible): Promise<void> {
    const before = query.data
    queries.setQueryData<PresenceSettings>(KEY, { last_seen_visible })
    try {
      await setLastSeenVisible(rest, last_seen_visible)
    } catch (error) {
      queries.setQueryData(KEY, before)
      toast(failureText(error instanceof CallError ? error.code : 'other'))
    }
  }

  if (query.isError) {
    const code = query.error instanceof CallError ? query.error.code : 'other'
    return <Failed text={failureText(code)} onRetry={() => void query.refetch()} />
  }
  if (query.isPending) {
    return (
      <Loading>
        <Bone className="h-10 max-w-sm" />
      </Loading>
    )
  }
  return (
    <Select
      label={t.lastSeenVisible}
      hint={t.lastSeenHint}
      value={query.data.last_seen_visible}
      options={CHOICES.map((value) => ({ value, text: t.lastSeenTo[value] }))}
      onChange={(value) => void choose(value)}
      className="max-w-sm"
    />
  )
}
