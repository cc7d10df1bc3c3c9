/** Messages that are sent as soon as what is attached to them is uploaded, wherever the user has gone meanwhile. */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Drafts } from './drafts'
import type { Outbox } from './outbox'
import { attachmentsIn, type Uploads } from './uploads'

interface Waiting {
  body: string
  replyTo: string | null
}

export class AfterUploads {
  /** By conversation. */
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
  begin(conversationId: string, waiting: Waiting): void {
    this.waiting.setState({ [conversationId]: waiting })
    this.look()
  }

  /** Something was changed: it is not to be sent by itself any more. */
  readonly cancel = (conversationId: string): void => {
    const { [conversationId]: known, ...others } = this.waiting.getState()
    if (known !== undefined) this.waiting.setState(others, true)
  }

  private readonly look = (): void => {
    for (const [id, { body, replyTo }] of Object.entries(this.waiting.getState())) {
      const attachments = attachmentsIn(this.uploads.attachments.getState(), id)
      const isRefused = attachments.some(({ upload }) => upload.state === 'failed' && !upload.passing)
      if (isRefused || (body === '' && attachments.length === 0)) this.cancel(id)
      else if (attachments.every(({ upload }) => upload.state === 'ready')) this.send(id, body, replyTo)
    }
  }

  private send(id: string, body: string, replyTo: string | null): void {
    this.cancel(id)
    const files = this.uploads.take(id) ?? []
    this.drafts.flush()
    this.drafts.saveSoon(id, '')
    this.drafts.flush()
    if (replyTo !== null) this.drafts.setReply(id, null)
    void this.outbox.send(id, body, { replyTo, files })
  }
}
