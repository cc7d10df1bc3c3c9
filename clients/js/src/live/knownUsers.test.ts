import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { User } from '../contracts.js'
import { conversation, ME, user } from '../chat/samples.js'
import type { Rest } from '../http.js'
import { newCore } from './fakeServer.js'
import { KnownUsers } from './knownUsers.js'
import { Loader } from './loading.js'

const renamed = (id: string): User => ({ ...user(id), display_name: `${id} of a company` })

let core: ReturnType<typeof newCore>
let isLive: boolean
/** What was asked for, and what answers it. */
let asked: { ids: string[]; answer: (users: readonly User[] | Error) => void }[]
let own: User[]
let known: KnownUsers

beforeEach(() => {
  vi.useFakeTimers()
  core = newCore()
  isLive = true
  asked = []
  own = []
  const call = ({ params }: { params: { ids: string } }): Promise<{ items: readonly User[] }> =>
    new Promise((resolve, reject) => {
      const answer = (users: readonly User[] | Error): void =>
        users instanceof Error ? reject(users) : resolve({ items: users })
      asked.push({ ids: params.ids.split(','), answer })
    })
  const connection = {
    get isLive() {
      return isLive
    },
  }
  const loader = new Loader({ call } as unknown as Rest, core.chat)
  known = new KnownUsers(core.chat, connection, loader, (user) => own.push(user), core.signal)
})

afterEach(() => {
  core.abort.abort()
  vi.useRealTimers()
})

async function readAnew(): Promise<void> {
  known.readAnewSoon()
  await vi.advanceTimersByTimeAsync(2_000)
}

async function answer(at: number, users: readonly User[] | Error): Promise<void> {
  asked[at]?.answer(users)
  await vi.advanceTimersByTimeAsync(0)
}

test('names of before an absence are read anew, in direct conversations too', async () => {
  const peer = user('ben')
  core.chat.dispatch(
    { type: 'conversation', conversation: conversation(1, { type: 'direct', title: null, peer }) },
    { type: 'users', users: [user('ada')] },
  )
  await readAnew()
  expect(asked.map(({ ids }) => ids)).toEqual([[ME, 'ben', 'ada']])
  await answer(0, [renamed('ben'), renamed('ada')])
  expect(core.chat.current.users).toEqual({ ben: renamed('ben'), ada: renamed('ada') })
  expect(core.chat.summary('room')?.peer).toEqual(renamed('ben'))
})

test('a change that comes meanwhile is newer than what is read', async () => {
  core.chat.dispatch({ type: 'users', users: [user('ada')] })
  await readAnew()
  core.chat.dispatch({ type: 'users', users: [renamed('ada')] })
  await answer(0, [user('ada')])
  expect(core.chat.current.users.ada).toEqual(renamed('ada'))
})

test('who is not shown by the server any more keeps the last name', async () => {
  core.chat.dispatch({ type: 'users', users: [user('ada')] })
  await readAnew()
  await answer(0, [])
  expect(core.chat.current.users.ada).toEqual(user('ada'))
})

test('one hundred at a time', async () => {
  core.chat.dispatch({ type: 'users', users: Array.from({ length: 150 }, (_, at) => user(`u${String(at)}`)) })
  await readAnew()
  await answer(0, [])
  expect(asked.map(({ ids }) => ids.length)).toEqual([100, 51])
})

test('what fails is read again, and not without a connection', async () => {
  await readAnew()
  await answer(0, new Error('unavailable'))
  await vi.advanceTimersByTimeAsync(10_000)
  expect(asked).toHaveLength(2)
  await answer(1, new Error('unavailable'))
  isLive = false
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(2)
})

test('one’s own new name is passed on once', async () => {
  core.chat.dispatch({ type: 'users', users: [user(ME)] })
  await readAnew()
  await answer(0, [renamed(ME)])
  await readAnew()
  await answer(1, [renamed(ME)])
  expect(own).toEqual([renamed(ME)])
})
