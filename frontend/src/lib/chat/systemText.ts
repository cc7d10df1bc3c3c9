/** What a group itself says happened in it, in words. Pure. */
import type { Message } from '@synctalk/client/contracts'
import { texts } from '@/lib/text/texts'

const t = texts.system

const isList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** The users that a system message names: who did it, and to whom. */
export const usersNamedIn = ({ sender_id, system }: Message): string[] => {
  const ids = system?.user_ids
  return [sender_id, ...(isList(ids) ? ids : [])]
}

/** Say what happened; the first word of a sentence is who did it. What this client does not know is said in the server's words. */
export function systemText(message: Message, me: string, nameOf: (userId: string) => string): string {
  const { system, sender_id, body } = message
  const who = sender_id === me ? texts.you : nameOf(sender_id)
  const ids = isList(system?.user_ids) ? system.user_ids : []
  const whom = ids.map((id) => (id === me ? t.you : nameOf(id)))
  switch (system?.type) {
    case 'created':
      return t.created(who)
    case 'member_added':
      return ids.length === 1 && ids[0] === sender_id ? t.joined(who) : t.added(who, whom)
    case 'member_removed':
      return t.removed(who, whom)
    case 'member_left':
      return t.left(who)
    case 'renamed':
      return typeof system.title === 'string' ? t.renamed(who, system.title) : body
    case 'described':
      return t.described(who)
    case 'pinned':
      return t.pinned(who)
    case 'archived':
      return t.archived(who)
    case 'unarchived':
      return t.unarchived(who)
    case 'settings':
      return t.settings(who)
    default:
      return body
  }
}
