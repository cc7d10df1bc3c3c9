import { Suspense, useState } from 'react'
import { useNavigate } from 'react-router'
import type { Role } from '@synctalk/client/contracts'
import { IconButton } from '@/components/Button'
import { Confirm } from '@/components/Dialog'
import { Menu, MenuItem, MenuLine } from '@/components/Menu'
import { may, mayTo, ROLES } from '@synctalk/client/chat/rights'
import type { Summary } from '@synctalk/client/chat/summaries'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { lazily } from '@/lib-react/lazily'
import { useBlocked } from '@/lib-react/chat'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { unmute } from './moderation'

const ModerateMember = lazily(() => import('./ModerateMember'))

const t = lazyTexts.details
const WORDS = {
  owner: 'makeOwner',
  admin: 'makeAdmin',
  moderator: 'makeModerator',
  member: 'makeMember',
} as const satisfies Record<Role, keyof typeof t>

type Asking = 'remove' | 'owner' | 'ban' | 'mute' | 'block' | null

interface MenuProps {
  summary: Summary
  userId: string
  name: string
  role: Role
  muted: boolean
}

/** What one may do with a member, by one's own role. */
export function MemberMenu({ summary, userId, name, role, muted }: MenuProps) {
  const toast = useToast()
  const { blocks, conversations, rest } = useLive()
  const navigate = useNavigate()
  const blocked = useBlocked(userId)
  const [asking, setAsking] = useState<Asking>(null)
  const close = (): void => setAsking(null)
  const { id } = summary
  const roles = may('setRoles', summary) ? ROLES.filter((other) => other !== role).reverse() : []
  const mayMute = mayTo('mute', summary, role)
  const mayRemove = mayTo('removeMember', summary, role)
  const mayBan = mayTo('ban', summary, role)

  function act(work: Promise<unknown>): void {
    work.catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }

  return (
    <>
      <Menu trigger={<IconButton icon="more" label={t.actionsFor(name)} />}>
        <MenuItem
          icon="chat"
          onSelect={() => act(conversations.startDirect(userId).then((direct) => navigate(`/c/${direct}`)))}
        >
          {t.message}
        </MenuItem>
        {roles.map((next) => (
          <MenuItem
            key={next}
            icon={next === 'owner' ? 'key' : 'shield'}
            onSelect={() =>
              next === 'owner' ? setAsking('owner') : act(conversations.setRole(id, userId, next))
            }
          >
            {t[WORDS[next]]}
          </MenuItem>
        ))}
        <MenuLine />
        {mayMute && (
          <MenuItem icon="voice" onSelect={() => (muted ? act(unmute(rest, id, userId)) : setAsking('mute'))}>
            {muted ? lazyTexts.moderation.unmute : lazyTexts.moderation.mute}
          </MenuItem>
        )}
        <MenuItem
          icon="blockUser"
          onSelect={() => (blocked ? act(blocks.unblock(userId)) : setAsking('block'))}
        >
          {blocked ? lazyTexts.blocks.unblock : lazyTexts.blocks.block}
        </MenuItem>
        {mayRemove && (
          <MenuItem icon="close" danger onSelect={() => setAsking('remove')}>
            {t.remove}
          </MenuItem>
        )}
        {mayBan && (
          <MenuItem icon="ban" danger onSelect={() => setAsking('ban')}>
            {lazyTexts.moderation.banFrom}
          </MenuItem>
        )}
      </Menu>
      {asking === 'remove' && (
        <Confirm
          question={t.removeQuestion(name)}
          action={t.remove}
          onConfirm={() => act(conversations.removeMember(id, userId))}
          onClose={close}
        />
      )}
      {asking === 'owner' && (
        <Confirm
          question={t.ownerQuestion(name)}
          action={t.makeOwner}
          onConfirm={() => act(conversations.setRole(id, userId, 'owner'))}
          onClose={close}
        />
      )}
      {asking === 'block' && (
        <Confirm
          question={lazyTexts.blocks.blockQuestion(name)}
          action={lazyTexts.blocks.block}
          onConfirm={() => act(blocks.block(userId))}
          onClose={close}
        />
      )}
      {(asking === 'ban' || asking === 'mute') && (
        <Suspense>
          <ModerateMember kind={asking} conversationId={id} userId={userId} name={name} onClose={close} />
        </Suspense>
      )}
    </>
  )
}
