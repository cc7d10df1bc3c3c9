import { useChat, useDraft } from '@/lib-react/chat'

/** Return what the user wrote in a conversation and did not send; null when there is nothing. */
export function useUnsent(id: string): string | null {
  const draft = useDraft(id)
  const outgoing = useChat((state) => state.outgoing[id])
  const parts = [
    ...(outgoing ?? []).flatMap(({ body, forward }) => (body === '' || forward !== null ? [] : [body])),
    ...(draft === undefined ? [] : [draft]),
  ]
  return parts.length === 0 ? null : parts.join('\n\n')
}
