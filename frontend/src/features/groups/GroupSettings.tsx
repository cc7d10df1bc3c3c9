import { Link } from 'react-router'
import type { Conversation } from '@synctalk/client/contracts'
import { IconButton } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { may } from '@synctalk/client/chat/rights'
import type { Summary } from '@synctalk/client/chat/summaries'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { useThread } from '@/lib-react/chat'
import { AccessForm } from './AccessForm'
import { BanList } from './BanList'
import { GroupEnd } from './GroupEnd'
import { GroupForm } from './GroupForm'
import { InviteList } from './InviteList'
import { Section } from './Section'

const t = lazyTexts.group

/** What can be changed about a group, as far as one's role goes. */
export default function GroupSettings({ summary, onClose }: { summary: Summary; onClose: () => void }) {
  const { snapshot } = useThread(summary.id)
  return (
    <aside aria-label={t.title} className="flex h-full flex-col bg-bg">
      <header className="flex h-14 shrink-0 items-center gap-1 border-b border-border ps-1 pe-2">
        <Link
          to={`/c/${summary.id}/details`}
          replace
          aria-label={t.back}
          title={t.back}
          className="flex size-9 shrink-0 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11"
        >
          <Icon name="back" />
        </Link>
        <h2 className="min-w-0 flex-1 truncate text-title font-semibold">{t.title}</h2>
        <IconButton icon="close" label={texts.close} onClick={onClose} />
      </header>
      <div className="min-h-0 flex-1 divide-y divide-border overflow-y-auto overscroll-contain">
        {snapshot !== null && <Sections summary={summary} group={snapshot} />}
      </div>
    </aside>
  )
}

function Sections({ summary, group }: { summary: Summary; group: Conversation }) {
  const archived = summary.archivedAt !== null
  return (
    <>
      {archived && <p className="bg-warn-soft px-4 py-3 text-meta text-warn">{t.archivedLead}</p>}
      {may('describe', summary) && (
        <>
          <Section title={t.about}>
            <GroupForm group={group} wholly={may('changeDetails', summary)} />
          </Section>
          <Section title={t.access}>
            <AccessForm group={group} wholly={may('changeDetails', summary)} />
          </Section>
        </>
      )}
      {may('invite', summary) && (
        <Section title={t.invites}>
          <InviteList conversationId={summary.id} />
        </Section>
      )}
      {may('ban', summary) && (
        <Section title={t.bans}>
          <BanList conversationId={summary.id} />
        </Section>
      )}
      {may('archive', summary) && <GroupEnd summary={summary} />}
    </>
  )
}
