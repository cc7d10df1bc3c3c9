/** Whether this machine shows notifications: the browser's permission and the user's choice. */
import { createStore } from 'zustand/vanilla'

/** `undecided`: never offered. `later`: offered, and postponed. */
export type Choice = 'undecided' | 'later' | 'on' | 'off'

const KEY = 'synctalk.notifications'

export const notificationsExist = (): boolean => 'Notification' in window

function stored(): Choice {
  const choice = localStorage.getItem(KEY)
  return choice === 'later' || choice === 'on' || choice === 'off' ? choice : 'undecided'
}

const permission = (): NotificationPermission => (notificationsExist() ? Notification.permission : 'denied')

export class NotificationChoice {
  readonly state = createStore<{ choice: Choice; permission: NotificationPermission }>(() => ({
    choice: stored(),
    permission: permission(),
  }))

  choose(choice: Choice): void {
    localStorage.setItem(KEY, choice)
    this.state.setState({ choice, permission: permission() })
  }

  /** Request the browser's permission, for which it prompts the user. */
  async turnOn(): Promise<void> {
    const permission = await Notification.requestPermission()
    this.choose(permission === 'granted' ? 'on' : 'off')
  }
}
