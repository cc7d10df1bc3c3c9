/**
 * The messages on their way in IndexedDB. A storage that fails (full, or taken away) costs only that a message does not
 * outlive the page: it is sent all the same.
 */
import type { File as StoredFile, Forward } from '../contracts.js'
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb'

export interface Row {
  client_message_id: string
  conversation_id: string
  body: string
  reply_to: string | null
  /** Missing in what an earlier version of the client has stored, as what follows. */
  thread_id?: string | null
  also_in_conversation?: boolean
  files?: readonly StoredFile[]
  forward?: Forward | null
  created_at: string
  /** Rises with each message written: the order to send in. */
  position: number
  /** The tab that sends it. */
  tab: string
  failed: string | null
  /** Since it was tried without an ack the server may have it: it can only be sent again, not be taken back. */
  tried?: boolean
}

interface OutboxSchema extends DBSchema {
  rows: { key: string; value: Row; indexes: { position: number } }
}

const nameOf = (userId: string): string => `synctalk.outbox.${userId}`

/** Delete everything that was not sent; for a user who signs out. */
export const eraseOutbox = (userId: string): Promise<void> => deleteDB(nameOf(userId))

export class OutboxDatabase {
  private database: IDBPDatabase<OutboxSchema> | null = null
  /** Rows written before the database was open. */
  private readonly early: Row[] = []

  /** Open it, unless the session ends meanwhile. */
  async open(userId: string, signal: AbortSignal): Promise<void> {
    const opened = await openDB<OutboxSchema>(nameOf(userId), 1, {
      upgrade(created) {
        created
          .createObjectStore('rows', { keyPath: 'client_message_id' })
          .createIndex('position', 'position')
      },
      // Another tab erases it, because the user signed out: without this its deletion would never finish.
      blocking(_current, _wanted, event) {
        ;(event.target as IDBDatabase).close()
      },
    })
    if (signal.aborted) return opened.close()
    this.database = opened
    signal.addEventListener('abort', () => {
      opened.close()
      this.database = null
    })
  }

  async rows(): Promise<Row[]> {
    return (await this.database?.getAllFromIndex('rows', 'position')) ?? []
  }

  async put(row: Row): Promise<void> {
    if (this.database === null) this.early.push(row)
    else await this.database.put('rows', row).catch(() => undefined)
  }

  /** Write what was put before the database was open. */
  async flush(): Promise<void> {
    for (const row of this.early.splice(0)) await this.put(row)
  }

  async delete(clientMessageId: string): Promise<void> {
    const at = this.early.findIndex((row) => row.client_message_id === clientMessageId)
    if (at >= 0) this.early.splice(at, 1)
    await this.database?.delete('rows', clientMessageId).catch(() => undefined)
  }

  /** Change a row in one transaction, so that one that is deleted meanwhile does not come back. */
  async update(clientMessageId: string, change: Pick<Row, 'failed'> | Pick<Row, 'tried'>): Promise<void> {
    try {
      const store = this.database?.transaction('rows', 'readwrite').store
      const row = await store?.get(clientMessageId)
      if (row !== undefined) await store?.put({ ...row, ...change })
    } catch {
      // As above: it is sent all the same.
    }
  }
}
