/** Whether this machine shows notifications: the browser's permission and the person's own switch. */
import { create } from 'zustand'

/** `undecided`: never asked. `later`: asked, and put off. */
export type NotificationChoice = 'undecided' | 'later' | 'on' | 'off'

const KEY = 'synctalk.notifications'

export const notificationsExist = (): boolean => 'Notification' in window

function stored(): NotificationChoice {
  const choice = localStorage.getItem(KEY)
  return choice === 'later' || choice === 'on' || choice === 'off' ? choice : 'undecided'
}

const permission = (): NotificationPermission => (notificationsExist() ? Notification.permission : 'denied')

export const useNotifications = create<{ choice: NotificationChoice; permission: NotificationPermission }>(
  () => ({
    choice: stored(),
    permission: permission(),
  }),
)

export function chooseNotifications(choice: NotificationChoice): void {
  localStorage.setItem(KEY, choice)
  useNotifications.setState({ choice, permission: permission() })
}

/** Asks the browser, which asks the person. */
export async function turnOnNotifications(): Promise<void> {
  const answer = await Notification.requestPermission()
  chooseNotifications(answer === 'granted' ? 'on' : 'off')
}
