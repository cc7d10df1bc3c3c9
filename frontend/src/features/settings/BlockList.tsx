import { useEffect, useState } from 'react'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { Bone, Failed, Loading } from '@/components/States'
import { nameOf } from '@/lib/chat/names'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useUser } from '@/lib-react/chat'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { useStore } from 'zustand'

const t = lazyTexts.blocks

/** Whom one has blocked. */
export function BlockList() {
  const { blocks } = useLive()
  const { ids } = useStore(blocks.blocked)
  const [failed, setFailed] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    blocks.load().then(
      () => setFailed(null),
      (error: unknown) => setFailed(error instanceof CallError ? error.code : 'other'),
    )
  }, [blocks, attempt])
  return (
    <>
      <p className="text-meta text-text-muted">{t.lead}</p>
      {ids === null && failed !== null ? (
        <Failed text={failureText(failed)} onRetry={() => setAttempt(attempt + 1)} />
      ) : ids === null ? (
        <Loading>
          <Bone className="mt-3 h-12 w-full" />
        </Loading>
      ) : ids.size === 0 ? (
        <p className="mt-3 text-meta text-text-faint">{t.none}</p>
      ) : (
        <ul aria-label={t.title} className="mt-3 flex flex-col gap-1">
          {[...ids].map((id) => (
            <BlockedRow key={id} userId={id} />
          ))}
        </ul>
      )}
    </>
  )
}

function BlockedRow({ userId }: { userId: string }) {
  const { blocks } = useLive()
  const toast = useToast()
  const user = useUser(userId)
  const name = nameOf(user)
  const unblock = (): void => {
    blocks
      .unblock(userId)
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }
  return (
    <li className="flex min-h-12 items-center gap-3">
      <Avatar id={userId} name={name} url={user?.avatar_url ?? null} size={32} />
      <span className="min-w-0 flex-1">
        <span className="flex leading-5 font-medium">
          <bdi className="truncate">{name}</bdi>
        </span>
        <span className="block truncate text-small text-text-muted">{user && `@${user.username}`}</span>
      </span>
      <Button aria-label={t.unblockOf(name)} onClick={unblock}>
        {t.unblock}
      </Button>
    </li>
  )
}
