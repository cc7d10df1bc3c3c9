/**
 * An assistant: it answers every message of a user, and its readers see the answer being written.
 *
 * `answer` is where your model's tokens come from.
 */
import { setTimeout } from 'node:timers/promises'
import { bot, Client } from '@synctalk/client'

async function* answer(question) {
  for (const word of `You asked: ${question} Let me think about it, word by word.`.split(' ')) {
    await setTimeout(50)
    yield `${word} `
  }
}

async function reply(client, question) {
  const write = async (stream) => {
    for await (const token of answer(question.body)) stream.append(token)
  }
  // The same question has the same answer, should it come twice.
  await client.stream(question.conversation_id, write, { clientMessageId: `answer-${question.id}` })
}

const client = await Client.signIn(process.env.SYNCTALK_URL, bot(process.env.SYNCTALK_BOT_TOKEN))
for await (const { type, message } of client.events())
  if (type === 'message.created' && message.sender_id !== client.me.id) void reply(client, message)
