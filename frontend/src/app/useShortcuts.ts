import { useEffect } from 'react'
import { useNavigate } from 'react-router'
import { useConversations } from '@/lib/chat/list'

interface Shortcuts {
  currentId: string | null
  onPalette: () => void
}

/** Ctrl or Cmd K: go anywhere. Alt Up and Down: the conversation before, and after. */
export function useShortcuts({ currentId, onPalette }: Shortcuts): void {
  const conversations = useConversations()
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
      } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
        event.preventDefault()
        const at = conversations.findIndex(({ id }) => id === currentId)
        const next = event.key === 'ArrowDown' ? at + 1 : at === -1 ? 0 : at - 1
        const target = conversations[next]
        if (target !== undefined) void navigate(`/c/${target.id}`)
      }
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [conversations, currentId, navigate, onPalette])
}
