import { useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { Confirm } from '@/components/Dialog'
import { Menu, MenuItem, MenuLine } from '@/components/Menu'
import { CustomStatusDialog, StatusChoices } from '@/features/presence/OwnStatus'
import { signOut } from '@/features/session/api'
import { unsentCount } from '@/lib/live/outbox'
import { texts } from '@/lib/text/texts'

/** What hangs from one's own name: status, settings, the way out. Open from the start, as the click that loaded it wished. */
export default function AccountMenu({ trigger }: { trigger: ReactNode }) {
  const navigate = useNavigate()
  const [dialog, setDialog] = useState<'status' | 'unsent' | null>(null)

  function leave(): void {
    if (unsentCount() > 0) setDialog('unsent')
    else void signOut()
  }

  return (
    <>
      <Menu align="start" defaultOpen trigger={trigger}>
        <StatusChoices />
        <MenuItem icon="chat" onSelect={() => setDialog('status')}>
          {texts.presence.customStatus}
        </MenuItem>
        <MenuLine />
        <MenuItem icon="settings" onSelect={() => void navigate('/settings')}>
          {texts.settings.title}
        </MenuItem>
        <MenuLine />
        <MenuItem icon="signOut" onSelect={leave}>
          {texts.session.signOut}
        </MenuItem>
      </Menu>
      {dialog === 'status' && <CustomStatusDialog onClose={() => setDialog(null)} />}
      {dialog === 'unsent' && (
        <Confirm
          question={texts.session.signOutUnsent(unsentCount())}
          action={texts.session.signOutAnyway}
          onConfirm={() => void signOut()}
          onClose={() => setDialog(null)}
        />
      )}
    </>
  )
}
