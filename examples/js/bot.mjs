/** A bot that rolls dice: it answers `roll`, or `roll 20`, shows that it has read, and greets whoever brings it in. */
import { randomInt } from 'node:crypto'
import { bot, Client } from '@synctalk/client'

async function answer(client, { conversation_id, id, body, seq }) {
  await client.markRead(conversation_id, seq)
  const asked = /^roll(?: ([1-9]\d{0,3}))?$/.exec(body)
  if (asked === null) return
  const rolled = randomInt(1, Number(asked[1] ?? 6) + 1)
  // Should the message come again, after a crash, its answer is the same message.
  await client.send(conversation_id, `It is a ${rolled}.`, { replyTo: id, clientMessageId: `roll-${id}` })
}

const client = await Client.signIn(process.env.SYNCTALK_URL, bot(process.env.SYNCTALK_BOT_TOKEN))
for await (const event of client.events()) {
  if (event.type === 'conversation.added')
    await client.send(event.conversation.id, 'Say “roll” and I roll a die, “roll 20” for one of 20 sides.')
  else if (event.type === 'message.created' && event.message.sender_id !== client.me.id)
    await answer(client, event.message)
}
