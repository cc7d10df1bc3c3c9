/** Messages that are sent as soon as what is attached to them is uploaded, wherever the user has gone meanwhile. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Drafts } from './drafts.js'
import type { Outbox } from './outbox.js'
import { attachmentsIn, type Uploads } from './uploads.js'

interface Waiting {
  conversationId: string
  body: string
  replyTo: string | null
  threadId: string | null
  alsoInConversation: boolean
}

export class AfterUploads {
  /** By the place where it is written. */
  readonly waiting: StoreApi<Readonly<Record<string, Waiting>>> = createStore(() => ({}))

  constructor(
    private readonly uploads: Uploads,
    private readonly outbox: Outbox,
    private readonly drafts: Drafts,
    signal: AbortSignal,
  ) {
    signal.addEventListener('abort', uploads.attachments.subscribe(this.look))
  }

  /** Send this once everything is uploaded; until then it is the draft. */
  begin(place: string, waiting: Waiting): void {
    this.waiting.setState({ [place]: waiting })
    this.look()
  }

  /** Something was changed: it is not to be sent by itself any more. */
  readonly cancel = (place: string): void => {
    const { [place]: known, ...others } = this.waiting.getState()
    if (known !== undefined) this.waiting.setState(others, true)
  }

  private readonly look = (): void => {
    for (const [place, waiting] of Object.entries(this.waiting.getState())) {
      const attachments = attachmentsIn(this.uploads.attachments.getState(), place)
      const isRefused = attachments.some(({ upload }) => upload.state === 'failed' && !upload.passing)
      if (isRefused || (waiting.body === '' && attachments.length === 0)) this.cancel(place)
      else if (attachments.every(({ upload }) => upload.state === 'ready')) this.send(place, waiting)
    }
  }

  private send(place: string, { conversationId, body, ...beside }: Waiting): void {
    this.cancel(place)
    const files = this.uploads.take(place) ?? []
    this.drafts.flush()
    this.drafts.saveSoon(place, '')
    this.drafts.flush()
    if (beside.replyTo !== null) this.drafts.setReply(place, null)
    void this.outbox.send(conversationId, body, { ...beside, files })
  }
}
