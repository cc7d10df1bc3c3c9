/** Sends messages by an outbox in a file; with KILLED_AFTER, it is killed between an ack and its removal. */
import { Client, password } from '@synctalk/client'
import { fileOutbox } from '@synctalk/client/outbox'

const { SYNCTALK_URL, NAME, PASSWORD, OUTBOX_FILE, WRITTEN, KILLED_AFTER = 'never' } = process.env
const written = JSON.parse(WRITTEN)
const file = fileOutbox(OUTBOX_FILE)

let stored = 0
let removed = 0
let goOn
const allStored = new Promise((resolve) => (goOn = resolve))

const outbox = {
  load: () => file.load(),
  /** Nothing is sent before all is stored: the kill comes amid the sending, and all of it is to arrive. */
  async put(message) {
    await file.put(message)
    stored += 1
    if (stored === written.length) goOn()
    await allStored
  },
  remove(id) {
    removed += 1
    if (removed === Number(KILLED_AFTER)) process.kill(process.pid, 'SIGKILL')
    return file.remove(id)
  },
}

const client = await Client.signIn(SYNCTALK_URL, password(NAME, PASSWORD), { outbox })
await Promise.all(written.map(([conversation, body]) => client.send(conversation, body)))
await client.flush()
