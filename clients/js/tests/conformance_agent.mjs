/** The process by which the conformance suite drives this client; clients/conformance/README.md has the protocol. */
import { createInterface } from 'node:readline'
import { Client, resume, SessionEndedError } from '@synctalk/client'

const WHAT = { 'message.created': 'created', 'message.updated': 'updated', 'message.deleted': 'deleted' }

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

/** What an app would keep of the events: each is applied as it comes. */
const messages = new Map()
const members = new Map()

const kept = (all, id) => {
  if (!all.has(id)) all.set(id, new Map())
  return all.get(id)
}

async function load(client, id) {
  const loaded = new Map()
  for await (const message of client.rest.history(id)) loaded.set(message.id, message)
  messages.set(id, loaded)
  const listed = new Map()
  for await (const { user, role } of client.rest.members(id)) listed.set(user.id, role)
  members.set(id, listed)
}

async function apply(client, event) {
  switch (event.type) {
    case 'message.created':
    case 'message.updated':
    case 'message.deleted': {
      const { id: message_id, conversation_id, change_seq } = event.message
      kept(messages, conversation_id).set(message_id, event.message)
      return say({ event: 'message', what: WHAT[event.type], message_id, conversation_id, change_seq })
    }
    case 'member.changed': {
      const { conversation_id, user_id, role, change_seq } = event
      if (role === null) kept(members, conversation_id).delete(user_id)
      else kept(members, conversation_id).set(user_id, role)
      return say({ event: 'member', user_id, conversation_id, change_seq })
    }
    case 'conversation.added':
      await load(client, event.conversation.id)
      return say({ event: 'added' })
    case 'history.reset':
      await load(client, event.conversation_id)
      return say({ event: 'reset' })
    case 'conversation.removed':
      messages.delete(event.conversation_id)
      return say({ event: 'removed' })
    case 'connected':
    case 'disconnected':
      return say({ event: event.type })
  }
}

async function follow(client, cursors) {
  try {
    for await (const event of client.events(cursors)) await apply(client, event)
  } catch (error) {
    if (!(error instanceof SessionEndedError)) throw error
    say({ event: 'ended', reason: error.reason })
  }
}

const essence = ({ id, seq, change_seq, sender_id, body, reactions, deleted_at }) => ({
  id,
  seq,
  change_seq,
  sender_id,
  body,
  reactions,
  deleted: deleted_at !== null,
})

async function carryOut(client, { do: what, conversation_id, body }) {
  if (what === 'send') {
    await client.send(conversation_id, body)
    return {}
  }
  return {
    messages: [...kept(messages, conversation_id).values()].map(essence),
    members: Object.fromEntries(kept(members, conversation_id)),
  }
}

let client = null
for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line)
  if (call.do === 'start') {
    const onTokens = () => client !== null && say({ event: 'tokens' })
    client = await Client.signIn(call.url, resume(call.refresh_token), { onTokens })
    say({ id: call.id })
    const cursors = Object.entries(call.cursors).map(([id, change_seq]) => [id, { change_seq, last_seq: 0 }])
    void follow(client, Object.fromEntries(cursors))
  } else {
    carryOut(client, call).then(
      (answer) => say({ id: call.id, ...answer }),
      (error) => say({ id: call.id, error: String(error) }),
    )
  }
}
client?.close()
