/** Work of one conversation is done one after the other, in the order of the calls; a failure ends only its own. */
export class Turns {
  /** By conversation: the last of its work, which the next one waits for. */
  private readonly last = new Map<string, Promise<void>>()

  take<T>(conversationId: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(conversationId) ?? Promise.resolve()
    const done = before.then(work)
    const settled = done.then(
      () => undefined,
      () => undefined,
    )
    this.last.set(conversationId, settled)
    void settled.then(() => {
      if (this.last.get(conversationId) === settled) this.last.delete(conversationId)
    })
    return done
  }

  /** Wait until there is no work. */
  async idle(): Promise<void> {
    while (this.last.size > 0) await Promise.all(this.last.values())
  }
}
