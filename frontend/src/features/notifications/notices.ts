/** Two ways to show notifications: by the service worker, which also shows pushes, or, where there is none, by the page. */
import { isWithdrawn, keptIn, pathOf, tagOf, type Kept, type Notice } from '@/lib/push/notice'
import { optionsOf } from '@/lib/push/options'

export interface Notices {
  show(notice: Notice): void
  /** Withdraw those of a conversation's or a thread's messages up to `seq`. */
  withdraw(place: string, seq: number): void
}

/** The worker may have been pushed the same message: one tag and one `seq` are one notification. */
export class WorkerNotices implements Notices {
  constructor(private readonly registration: ServiceWorkerRegistration) {}

  show(notice: Notice): void {
    void this.showOnce(notice)
  }

  withdraw(place: string, seq: number): void {
    void this.close(place, seq)
  }

  private async showOnce(notice: Notice): Promise<void> {
    const shown = await this.registration.getNotifications({ tag: tagOf(notice.kept) })
    if (shown.some(({ data }) => (keptIn(data)?.seq ?? 0) >= notice.kept.seq)) return
    await this.registration.showNotification(notice.title, optionsOf(notice))
  }

  private async close(place: string, seq: number): Promise<void> {
    for (const shown of await this.registration.getNotifications({ tag: place })) {
      const kept = keptIn(shown.data)
      if (kept !== null && isWithdrawn(kept, seq)) shown.close()
    }
  }
}

export class PageNotices implements Notices {
  private readonly shown = new Map<Notification, Kept>()

  constructor(private readonly open: (path: string) => void) {}

  show(notice: Notice): void {
    const notification = new Notification(notice.title, optionsOf(notice))
    notification.onclick = () => {
      window.focus()
      this.open(pathOf(notice.kept))
      notification.close()
    }
    this.shown.set(notification, notice.kept)
  }

  withdraw(place: string, seq: number): void {
    for (const [notification, kept] of this.shown) {
      if (tagOf(kept) !== place || !isWithdrawn(kept, seq)) continue
      this.shown.delete(notification)
      notification.close()
    }
  }
}
