/** Small, valid things for tests. */
import type { Conversation, File as StoredFile, Member, MemberChange, Message, User } from '../contracts.js'

export const ME = 'me'
export const ROOM = 'room'
const START = Date.parse('2026-03-02T10:00:00.000Z')

export const user = (id: string): User => ({
  id,
  username: id,
  display_name: id.charAt(0).toUpperCase() + id.slice(1),
  avatar_url: null,
})

export const message = (seq: number, change_seq: number, parts: Partial<Message> = {}): Message => ({
  id: `message-${String(seq)}`,
  conversation_id: ROOM,
  seq,
  change_seq,
  sender_id: 'ada',
  client_message_id: `client-${String(seq)}`,
  body: `text ${String(seq)}`,
  reply_to: null,
  reactions: {},
  mentions: [],
  created_at: new Date(START + seq * 1000).toISOString(),
  edited_at: null,
  deleted_at: null,
  ...parts,
})

export const storedFile = (parts: Partial<StoredFile> = {}): StoredFile => ({
  id: 'file',
  name: 'notes.txt',
  size: 12,
  content_type: 'text/plain',
  width: null,
  height: null,
  duration_s: null,
  blurhash: null,
  has_thumbnail: false,
  state: 'ready',
  url: null,
  created_at: new Date(START).toISOString(),
  ...parts,
})

export const conversation = (change_seq: number, parts: Partial<Conversation> = {}): Conversation => ({
  id: ROOM,
  type: 'group',
  title: 'Room',
  peer: null,
  last_seq: 0,
  change_seq,
  read_seq: 0,
  unread_count: 0,
  role: 'member',
  last_message: null,
  members_count: 3,
  created_at: new Date(START).toISOString(),
  updated_at: new Date(START).toISOString(),
  ...parts,
})

export const member = (id: string, parts: Partial<Member> = {}): Member => ({
  user: user(id),
  role: 'member',
  joined_at: new Date(START).toISOString(),
  delivered_seq: 0,
  read_seq: 0,
  ...parts,
})

export const memberChange = (
  id: string,
  change_seq: number,
  parts: Partial<MemberChange> = {},
): MemberChange => ({
  ...member(id),
  change_seq,
  ...parts,
})
