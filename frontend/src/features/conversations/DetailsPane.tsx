import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import type { User } from '@synctalk/client/contracts'
import { ConversationAvatar } from '@/components/ConversationAvatar'
import { Button, IconButton } from '@/components/Button'
import { Confirm } from '@/components/Dialog'
import { presenceInWords, usePresence } from '@/components/Status'
import { Failed } from '@/components/States'
import { useCopy } from '@/components/useCopy'
import { useNow, useToast } from '@/lib-react/page'
import { useBlocked, useThread } from '@/lib-react/chat'
import { nameOf, titleOf } from '@/lib/chat/names'
import { may } from '@synctalk/client/chat/rights'
import type { Summary } from '@synctalk/client/chat/summaries'
import { CallError } from '@synctalk/client/errors'
import { dateInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { AddMembers } from './AddMembers'
import { GroupPicture } from './GroupPicture'
import { NotificationLevel } from './NotificationLevel'
import { MemberList } from './MemberList'
import { RenameGroup } from './RenameGroup'

const t = lazyTexts.details
/** A link that looks like the buttons beside it. */
const LINK =
  'inline-flex min-h-9 items-center justify-center rounded-control border border-border bg-bg px-3.5 text-center text-meta font-medium text-text hover:bg-bg-hover pointer-coarse:min-h-11'

/** Members and what can be done with the conversation. */
export function DetailsPane({ summary, onClose }: { summary: Summary; onClose: () => void }) {
  const title = titleOf(summary)
  const copy = useCopy()
  return (
    <aside aria-label={t.title} className="flex h-full flex-col bg-bg">
      <header className="flex h-14 shrink-0 items-center justify-between border-b border-border ps-4 pe-2">
        <h2 className="text-title font-semibold">{t.title}</h2>
        <IconButton icon="close" label={t.hide} onClick={onClose} />
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        <div className="flex flex-col items-center px-6 pt-6 pb-5 text-center">
          <ConversationAvatar summary={summary} size={72} />
          <p dir="auto" className="mt-3 max-w-full text-title font-semibold break-words">
            {title}
          </p>
          {summary.peer === null && <GroupPicture summary={summary} />}
          {summary.peer === null ? <GroupFacts summary={summary} /> : <UserFacts summary={summary} />}
        </div>
        <div className="grid grid-cols-2 gap-2 px-4 pb-4 [&>:last-child:nth-child(even)]:col-span-2">
          <NotificationLevel conversationId={summary.id} />
          <Link to={`/c/${summary.id}/search?only=file`} replace className={LINK}>
            {t.files}
          </Link>
          <Button onClick={() => copy(`${window.location.origin}/c/${summary.id}`)}>
            {texts.messages.copyLink}
          </Button>
          {summary.peer === null ? (
            <GroupButtons summary={summary} title={title} />
          ) : (
            <BlockButton user={summary.peer} />
          )}
        </div>
        {summary.peer === null && <GroupMembers summary={summary} />}
      </div>
    </aside>
  )
}

function UserFacts({ summary }: { summary: Summary }) {
  const words = presenceInWords(usePresence(summary.peer?.id), useNow())
  return (
    <>
      <p className="text-meta text-text-muted">@{summary.peer?.username}</p>
      {words !== null && <p className="mt-1 text-meta text-text-muted">{words}</p>}
    </>
  )
}

function GroupFacts({ summary }: { summary: Summary }) {
  const { snapshot } = useThread(summary.id)
  const description = snapshot?.description ?? ''
  const facts = [
    snapshot?.visibility === 'public' && lazyTexts.start.public,
    summary.archivedAt !== null && lazyTexts.details.archived,
    t.membersCount(summary.membersCount),
    snapshot !== null && t.created(dateInWords(snapshot.created_at)),
  ]
  return (
    <>
      <p className="text-meta text-text-muted">{facts.filter(Boolean).join(' · ')}</p>
      {description !== '' && (
        <p dir="auto" className="mt-3 max-w-full text-meta break-words whitespace-pre-line">
          {description}
        </p>
      )}
    </>
  )
}

/** Block the other of a direct conversation, or take it back. */
function BlockButton({ user }: { user: User }) {
  const toast = useToast()
  const { blocks } = useLive()
  const blocked = useBlocked(user.id)
  const [asking, setAsking] = useState(false)
  const act = (work: Promise<void>): void => {
    work.catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }
  return (
    <>
      <Button
        look={blocked ? 'plain' : 'danger'}
        onClick={() => (blocked ? act(blocks.unblock(user.id)) : setAsking(true))}
      >
        {blocked ? lazyTexts.blocks.unblock : lazyTexts.blocks.block}
      </Button>
      {asking && (
        <Confirm
          question={lazyTexts.blocks.blockQuestion(nameOf(user))}
          action={lazyTexts.blocks.block}
          onConfirm={() => act(blocks.block(user.id))}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}

type Opened = 'add' | 'rename' | 'leave' | null

/** What one may do with a group, by one's role. */
function GroupButtons({ summary, title }: { summary: Summary; title: string }) {
  const toast = useToast()
  const [opened, setOpened] = useState<Opened>(null)
  const close = (): void => setOpened(null)
  const { conversations } = useLive()
  const navigate = useNavigate()

  async function leave(): Promise<void> {
    try {
      await conversations.leaveGroup(summary.id)
      await navigate('/')
    } catch (error) {
      toast(failureText(error instanceof CallError ? error.code : 'other'))
    }
  }

  return (
    <>
      {may('addMembers', summary) && <Button onClick={() => setOpened('add')}>{t.add}</Button>}
      {may('changeDetails', summary) && <Button onClick={() => setOpened('rename')}>{t.rename}</Button>}
      {may('ban', summary) && (
        <Link to={`/c/${summary.id}/settings`} replace className={LINK}>
          {lazyTexts.group.title}
        </Link>
      )}
      <Button look="danger" onClick={() => setOpened('leave')}>
        {t.leave}
      </Button>
      {opened === 'add' && <AddMembers conversationId={summary.id} onClose={close} />}
      {opened === 'rename' && <RenameGroup conversationId={summary.id} title={title} onClose={close} />}
      {opened === 'leave' && (
        <Confirm
          question={t.leaveQuestion(title)}
          action={t.leave}
          onConfirm={() => void leave()}
          onClose={close}
        />
      )}
    </>
  )
}

function GroupMembers({ summary }: { summary: Summary }) {
  const failed = useMembersLoaded(summary.id)
  return (
    <>
      <h3 className="border-t border-border px-4 pt-4 pb-1 text-meta font-semibold text-text-muted">
        {t.members}
      </h3>
      {failed !== null ? (
        <Failed text={failed.text} onRetry={failed.retry} />
      ) : (
        <MemberList summary={summary} />
      )}
    </>
  )
}

/** The members are read once, and again after a reset; events keep them up to date in between. */
function useMembersLoaded(id: string): { text: string; retry: () => void } | null {
  const { loader } = useLive()
  const { membersLoaded } = useThread(id)
  const [failure, setFailure] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    if (membersLoaded) return
    loader.loadMembers(id).then(
      () => setFailure(null),
      (error: unknown) => setFailure(failureText(error instanceof CallError ? error.code : 'other')),
    )
  }, [loader, id, membersLoaded, attempt])
  return failure === null || membersLoaded ? null : { text: failure, retry: () => setAttempt(attempt + 1) }
}
