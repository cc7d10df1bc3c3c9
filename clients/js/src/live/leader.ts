/**
 * One tab among a user's tabs: the one that was looked at last. The leader has a Web Lock; a tab that comes to the front
 * takes the lock over, and when the leader is closed the lock goes to the next in the queue.
 */
export class Leader {
  // Without Web Locks there are no notifications either: both need a secure context.
  private leads = !('locks' in navigator)
  private release = (): void => undefined

  constructor(
    private readonly name: string,
    private readonly signal: AbortSignal,
  ) {
    this.queue(document.visibilityState === 'visible')
    document.addEventListener('visibilitychange', this.toFront, { signal })
    window.addEventListener('focus', this.toFront, { signal })
    signal.addEventListener('abort', () => this.release())
  }

  get isLeader(): boolean {
    return this.leads && !this.signal.aborted
  }

  private queue(steal: boolean): void {
    if (this.signal.aborted || !('locks' in navigator)) return
    navigator.locks
      .request(this.name, { steal }, () => {
        if (this.signal.aborted) return
        this.leads = true
        return new Promise<void>((resolve) => {
          this.release = () => resolve()
        })
      })
      .catch((error: unknown) => {
        this.leads = false
        // Another tab came to the front.
        if (error instanceof DOMException && error.name === 'AbortError') this.queue(false)
      })
  }

  private readonly toFront = (): void => {
    if (document.visibilityState === 'visible' && !this.leads) this.queue(true)
  }
}
