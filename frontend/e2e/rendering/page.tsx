/** A page that renders single messages as the client does, and times it: built by the test, served by nobody else. */
import { createRoot } from 'react-dom/client'
import { flushSync } from 'react-dom'
import '@/app/theme.css'
import { MessageBody } from '@/features/messages/MessageBody'
import { LiveSessionContext } from '@/lib-react/session'
import { Auth } from '@synctalk/client/auth/auth'
import { LiveSession } from '@synctalk/client/live/session'

export interface Timing {
  /** Script, style and layout, in milliseconds. */
  message: number
  /** The same text as one node, without React. */
  plain: number
  elements: number
}

declare global {
  interface Window {
    /** What reads Markdown is there from then on. */
    loadMarkdown: () => Promise<void>
    timeMessage: (body: string, mentions: string[]) => Timing
  }
}

const WIDTH_PX = 700

const live = new LiveSession(new Auth(), 'me', 'session')
const ada = { id: 'ada', username: 'ada', display_name: 'Ada', avatar_url: null }
live.chat.dispatch({ type: 'users', users: [ada] })

/** Run `fill` in a new place of the page, and return how long it and its layout take. */
function timed(fill: (place: HTMLElement) => void): { ms: number; elements: number; place: HTMLElement } {
  const place = document.createElement('div')
  place.style.width = `${String(WIDTH_PX)}px`
  document.body.append(place)
  document.body.getBoundingClientRect()
  const start = performance.now()
  fill(place)
  place.getBoundingClientRect()
  return { ms: performance.now() - start, elements: place.querySelectorAll('*').length, place }
}

window.loadMarkdown = async () => {
  const container = document.createElement('div')
  const root = createRoot(container)
  root.render(
    <LiveSessionContext value={live}>
      <MessageBody id="first" body="**first**" mentions={[]} />
    </LiveSessionContext>,
  )
  await new Promise<void>((resolve) => {
    new MutationObserver(() => {
      if (container.querySelector('strong') !== null) resolve()
    }).observe(container, { childList: true, subtree: true })
  })
  root.unmount()
}

window.timeMessage = (body, mentions) => {
  const plain = timed((place) => {
    place.className = 'text-message wrap-anywhere whitespace-pre-wrap [unicode-bidi:plaintext]'
    place.textContent = body
  })
  plain.place.remove()
  const container = document.createElement('div')
  const root = createRoot(container)
  const message = timed((place) => {
    place.append(container)
    flushSync(() =>
      root.render(
        <LiveSessionContext value={live}>
          <MessageBody id={body} body={body} mentions={mentions} />
        </LiveSessionContext>,
      ),
    )
  })
  flushSync(() => root.unmount())
  message.place.remove()
  return { message: message.ms, plain: plain.ms, elements: message.elements }
}
