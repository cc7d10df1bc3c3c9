import type { Auth } from '@synctalk/client/auth/auth'
import { rememberSignOut } from '@synctalk/client/auth/pendingSignOut'
import { BY_COOKIE } from '@synctalk/client/auth/refresh'
import { Rest } from '@synctalk/client/http'
import { eraseDrafts } from '@synctalk/client/live/drafts'
import { eraseOutbox } from '@synctalk/client/live/outboxDatabase'

/** Sign out, and erase what the user wrote and did not send: the next one at this machine must not find it. */
export async function signOut(auth: Auth): Promise<void> {
  const session = auth.state.getState()
  if (session.state !== 'signed_in') return
  const { user, sessionId } = session
  // It outlives the session: the server may end it before it responds.
  const rest = new Rest((wish) => auth.accessToken(wish, sessionId), new AbortController().signal)
  await import('@synctalk/client/push/subscription')
    .then((push) => push.unsubscribe(rest))
    .catch(() => undefined)
  // Without a connection the session ends here all the same; the server is called later.
  const isDone = await rest.call<void>({ method: 'POST', url: '/v1/auth/logout', headers: BY_COOKIE }).then(
    () => true,
    () => false,
  )
  auth.leave(sessionId)
  if (!isDone) rememberSignOut(sessionId)
  eraseDrafts(user.id)
  await eraseOutbox(user.id).catch(() => undefined)
}
