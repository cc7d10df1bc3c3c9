import { Suspense, useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { Confirm } from '@/components/Dialog'
import { Menu, MenuItem, MenuLine } from '@/components/Menu'
import { useCopy } from '@/components/useCopy'
import { StatusChoices } from '@/features/presence/OwnStatus'
import { signOut } from '@/features/session/signOut'
import { useAuth, useAuthState, useLive } from '@/lib-react/session'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { lazily } from '@/lib-react/lazily'

const CustomStatusDialog = lazily(() => import('@/features/presence/CustomStatusDialog'))

/** What hangs from one's own name: status, settings, the way out. Open from the start, as the click that loaded it wished. */
export default function AccountMenu({ trigger }: { trigger: ReactNode }) {
  const copy = useCopy()
  const navigate = useNavigate()
  const auth = useAuth()
  const { outbox } = useLive()
  const session = useAuthState()
  const username = session.state === 'signed_in' ? session.user.username : ''
  const [dialog, setDialog] = useState<'status' | 'unsent' | null>(null)

  function leave(): void {
    if (outbox.unsentCount > 0) setDialog('unsent')
    else void signOut(auth)
  }

  return (
    <>
      <Menu align="start" defaultOpen trigger={trigger}>
        <MenuItem icon="copy" onSelect={() => copy(`@${username}`)}>
          <span className="sr-only">{lazyTexts.settings.copyUsername}</span>
          <span className="truncate">@{username}</span>
        </MenuItem>
        <MenuLine />
        <StatusChoices />
        <MenuItem icon="chat" onSelect={() => setDialog('status')}>
          {lazyTexts.presence.customStatus}
        </MenuItem>
        <MenuLine />
        <MenuItem icon="settings" onSelect={() => void navigate('/settings')}>
          {lazyTexts.settings.title}
        </MenuItem>
        <MenuLine />
        <MenuItem icon="signOut" onSelect={leave}>
          {lazyTexts.session.signOut}
        </MenuItem>
      </Menu>
      {dialog === 'status' && (
        <Suspense>
          <CustomStatusDialog onClose={() => setDialog(null)} />
        </Suspense>
      )}
      {dialog === 'unsent' && (
        <Confirm
          question={lazyTexts.session.signOutUnsent(outbox.unsentCount)}
          action={lazyTexts.session.signOutAnyway}
          onConfirm={() => void signOut(auth)}
          onClose={() => setDialog(null)}
        />
      )}
    </>
  )
}
