/**
 * A support desk: customers write to the bot, agents read all of it in one group and answer by replying there.
 *
 * It keeps no table of tickets: the id of each message that it passes on names the conversation that it came from, so what
 * is passed on twice, after a crash, is the same message. Where it was is in the file CURSORS.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { bot, Client } from '@synctalk/client'

const { SYNCTALK_URL, SYNCTALK_BOT_TOKEN, DESK_CONVERSATION: DESK, CURSORS } = process.env

const hexOf = (id) => id.replaceAll('-', '')
const idOf = (hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5')

async function passOn(client, message) {
  const own = hexOf(message.id)
  if (message.conversation_id !== DESK) {
    const { display_name } = await client.rest.user(message.sender_id)
    const clientMessageId = hexOf(message.conversation_id) + own
    await client.send(DESK, `${display_name}: ${message.body}`, { clientMessageId })
  } else if (message.reply_to !== null) {
    const question = await client.rest.message(DESK, message.reply_to)
    if (question.sender_id === client.me.id)
      await client.send(idOf(question.client_message_id), message.body, { clientMessageId: own })
  }
}

const cursors = existsSync(CURSORS) ? JSON.parse(readFileSync(CURSORS, 'utf8')) : {}
const client = await Client.signIn(SYNCTALK_URL, bot(SYNCTALK_BOT_TOKEN))
for await (const { type, message } of client.events(cursors)) {
  if (type === 'message.created' && message.sender_id !== client.me.id) await passOn(client, message)
  writeFileSync(CURSORS, JSON.stringify(client.cursors))
}
