import { useEffect } from 'react'
import { useNavigate } from 'react-router'
import { useConversations } from '@/lib-react/chat'
import { inListOrder } from '@synctalk/client/chat/sections'

/** Ctrl or Cmd K: go anywhere; with a slash: what all keys do. Alt Up and Down: the conversation before, and after. */
export function useShortcuts(onPalette: () => void, onHelp: () => void): void {
  const all = useConversations()
  const navigate = useNavigate()
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (
        (event.ctrlKey || event.metaKey) &&
        !event.shiftKey &&
        !event.altKey &&
        event.key.toLowerCase() === 'k'
      ) {
        event.preventDefault()
        onPalette()
      } else if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key === '/') {
        // On some keyboards the slash takes Shift.
        event.preventDefault()
        onHelp()
      } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
        event.preventDefault()
        // The address is ahead of what is drawn: quick presses go on from where the last one led.
        const [, , open] = location.pathname.split('/')
        const conversations = inListOrder(all)
        const at = conversations.findIndex(({ id }) => id === open)
        const next = event.key === 'ArrowDown' ? at + 1 : at === -1 ? 0 : at - 1
        const target = conversations[next]
        if (target !== undefined) void navigate(`/c/${target.id}`)
      }
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [all, navigate, onPalette, onHelp])
}
