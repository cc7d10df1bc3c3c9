// What Artillery does not measure by itself: how long a message takes to the others' sockets.
import { randomUUID } from 'node:crypto'

export function listens(context, events, done) {
  context.sockets[''].on('message:new', (message) => {
    events.emit('counter', 'synctalk.delivered', 1)
    events.emit('histogram', 'synctalk.delivery', Date.now() - message.metadata.sent_at)
  })
  done()
}

export function thinksOfAMessage(context, events, done) {
  context.vars.client_message_id = randomUUID()
  context.vars.sent_at = Date.now()
  done()
}
