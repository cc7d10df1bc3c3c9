// Registers users and puts them into groups; writes users.csv, a line for each: an access token and a conversation.
//   node prepare.mjs <address> [users] [users in a group]
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const [address, users = '50', inAGroup = '10'] = process.argv.slice(2)
const AT_ONCE = 5

async function post(path, body, token) {
  for (;;) {
    const answer = await fetch(address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    })
    if (answer.ok) return answer.json()
    if (answer.status !== 429) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
    await answer.text()
    await new Promise((resolve) => setTimeout(resolve, Number(answer.headers.get('retry-after') ?? 1) * 1000))
  }
}

async function register() {
  const id = randomUUID()
  return post('/v1/auth/register', { username: `load-${id.slice(0, 18)}`, password: id, display_name: 'Load' })
}

if (!address) {
  console.error('usage: node prepare.mjs <address> [users] [users in a group]')
  process.exit(2)
}
const registered = []
while (registered.length < Number(users)) {
  const missing = Number(users) - registered.length
  registered.push(...(await Promise.all(Array.from({ length: Math.min(AT_ONCE, missing) }, register))))
}
const lines = ['token,conversation_id']
for (let first = 0; first < registered.length; first += Number(inAGroup)) {
  const members = registered.slice(first, first + Number(inAGroup))
  const [owner, ...others] = members
  const member_ids = others.map((other) => other.user.id)
  const group = await post('/v1/conversations', { type: 'group', title: 'Load', member_ids }, owner.access_token)
  lines.push(...members.map((member) => `${member.access_token},${group.id}`))
}
writeFileSync(new URL('users.csv', import.meta.url), `${lines.join('\n')}\n`)
console.log(`${registered.length} users in ${Math.ceil(registered.length / Number(inAGroup))} groups, in users.csv`)
