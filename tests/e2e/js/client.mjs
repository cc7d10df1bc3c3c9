// The stock socket.io-client, driven by lines of JSON: {"connect": {url, token, transports?}}, {"call": [event, payload]},
// {"close": true}. It prints a line for everything that happens: {"event": name, "payload": …}, {"ack": …}.
// Runs in the folder of a package that has socket.io-client installed.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const { io } = createRequire(`${process.cwd()}/package.json`)('socket.io-client')
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

let socket

function connect({ url, token, transports }) {
  socket = io(url, { auth: { token }, ...(transports && { transports }), reconnectionDelay: 200 })
  socket.onAny((event, payload) => say({ event, payload }))
  socket.on('connect', () => say({ event: 'connect', payload: { session: socket.io.engine.id } }))
  socket.on('disconnect', (reason) => say({ event: 'disconnect', payload: { reason, active: socket.active } }))
  socket.on('connect_error', (error) =>
    say({ event: 'connect_error', payload: { message: error.message, data: error.data ?? null, active: socket.active } }),
  )
  socket.io.engine.on('upgrade', (transport) => say({ event: 'upgrade', payload: transport.name }))
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line)
  if (order.connect) connect(order.connect)
  if (order.call) socket.timeout(10_000).emit(...order.call, (error, ack) => say({ ack: error ? null : ack }))
  if (order.close) process.exit(0)
})
