import type { ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { Menu, MenuItem, MenuLine } from '@/components/Menu'
import { isUnread } from '@synctalk/client/chat/sections'
import type { Summary } from '@synctalk/client/chat/summaries'
import { CallError } from '@synctalk/client/errors'
import { failureText, texts } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'

const t = texts.conversations

interface MenuProps {
  summary: Summary
  trigger: ReactNode
  onClose: () => void
}

/** What one may do with a conversation from the list; open from the start, as the click that loaded it wished. */
export default function RowMenu({ summary, trigger, onClose }: MenuProps) {
  const { conversations, receipts } = useLive()
  const toast = useToast()
  const navigate = useNavigate()
  const { id, lastSeq, pinnedAt, hidden } = summary

  const set = (change: Parameters<typeof conversations.setOwnState>[1]) => (): void => {
    conversations
      .setOwnState(id, change)
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }

  return (
    <Menu defaultOpen trigger={trigger} onClose={onClose}>
      {isUnread(summary) ? (
        <MenuItem icon="check" onSelect={() => receipts.markRead(id, lastSeq)}>
          {t.markRead}
        </MenuItem>
      ) : (
        <MenuItem icon="unread" onSelect={set({ unread: true })}>
          {t.markUnread}
        </MenuItem>
      )}
      <MenuItem icon="pin" onSelect={set({ pinned: pinnedAt === null })}>
        {pinnedAt === null ? t.pin : t.unpin}
      </MenuItem>
      <MenuItem icon="hide" onSelect={set({ hidden: !hidden })}>
        {hidden ? t.unhide : t.hide}
      </MenuItem>
      <MenuLine />
      <MenuItem icon="info" onSelect={() => void navigate(`/c/${id}/details`)}>
        {texts.details.title}
      </MenuItem>
    </Menu>
  )
}
