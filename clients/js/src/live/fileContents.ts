/**
 * Where a page finds the bytes of a file. An `<img>` or `<video>` sends no token, so they are fetched with it: bytes that
 * come from the own origin are kept as a blob, for a bucket the address to which the server leads is used, as long as it works.
 */
import type { Rest } from '../http.js'

export type Variant = 'content' | '64' | '360' | '1280'

/** The addresses that a bucket signs work for five minutes. */
const SIGNED_MS = 4 * 60_000
const MAX_KEPT_BYTES = 128 * 1024 * 1024
const MAX_KEPT = 400

interface Kept {
  address: string
  bytes: number
  /** Until when (in ms) it works. */
  until: number
}

const keyOf = (id: string, variant: Variant): string => `${id}/${variant}`
const pathOf = (id: string, variant: Variant): string =>
  variant === 'content' ? `/v1/files/${id}/content` : `/v1/files/${id}/thumbnail?size=${variant}`

export class FileContents {
  /** The one used longest ago first. */
  private readonly kept = new Map<string, Kept>()
  private readonly loading = new Map<string, Promise<string>>()
  private bytes = 0

  constructor(
    private readonly rest: Rest,
    signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.keepAtMost(0, 0))
  }

  /** Return the address if it is at hand; of a picture of one's own that is the picture itself, however small it is wanted. */
  known(id: string, variant: Variant): string | null {
    return this.look(keyOf(id, variant)) ?? this.look(keyOf(id, 'content'))
  }

  /** Return the address, once there is one. Concurrent calls share one load. */
  address(id: string, variant: Variant): Promise<string> {
    const known = this.known(id, variant)
    if (known !== null) return Promise.resolve(known)
    const key = keyOf(id, variant)
    const running = this.loading.get(key)
    if (running !== undefined) return running
    const started = this.load(id, variant).finally(() => this.loading.delete(key))
    this.loading.set(key, started)
    return started
  }

  /** Keep what was just uploaded. */
  seed(id: string, blob: Blob): void {
    this.keepBlob(keyOf(id, 'content'), blob)
  }

  private look(key: string): string | null {
    const kept = this.kept.get(key)
    if (kept === undefined) return null
    this.kept.delete(key)
    if (kept.until < Date.now()) {
      this.bytes -= kept.bytes
      return null
    }
    this.kept.set(key, kept)
    return kept.address
  }

  private async load(id: string, variant: Variant): Promise<string> {
    const key = keyOf(id, variant)
    const response = await this.rest.open(pathOf(id, variant))
    if (!response.redirected) return this.keepBlob(key, await response.blob())
    void response.body?.cancel()
    return this.keep(key, { address: response.url, bytes: 0, until: Date.now() + SIGNED_MS })
  }

  private keepBlob(key: string, blob: Blob): string {
    return this.keep(key, { address: URL.createObjectURL(blob), bytes: blob.size, until: Infinity })
  }

  private keep(key: string, kept: Kept): string {
    const before = this.kept.get(key)
    if (before !== undefined) this.bytes -= before.bytes
    this.kept.set(key, kept)
    this.bytes += kept.bytes
    this.keepAtMost(MAX_KEPT, MAX_KEPT_BYTES)
    return kept.address
  }

  /** Let go of the oldest; what is on the screen stays there, since it was decoded. */
  private keepAtMost(count: number, bytes: number): void {
    for (const [key, kept] of this.kept) {
      if (this.kept.size <= count && this.bytes <= bytes) return
      this.kept.delete(key)
      this.bytes -= kept.bytes
      URL.revokeObjectURL(kept.address)
    }
  }
}
