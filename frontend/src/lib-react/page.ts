/** What lives with the page rather than with a sign-in: made once by `main.tsx`, passed to the views by a context. */
import { createContext, useContext, useSyncExternalStore } from 'react'
import { useStore } from 'zustand'
import { Clock } from './clock'
import { DensityChoice, type Density } from './density'
import { EmojiUse } from './emoji'
import { LanguageChoice } from './language'
import { NotificationChoice, type Choice } from './notifications'
import { ThemeChoice, type Theme } from './theme'
import { ToastList } from './toasts'

export class Page {
  readonly clock = new Clock()
  readonly density = new DensityChoice()
  readonly emoji = new EmojiUse()
  readonly language = new LanguageChoice()
  readonly notifications = new NotificationChoice()
  readonly theme = new ThemeChoice()
  readonly toasts = new ToastList()
}

export const PageContext = createContext<Page | null>(null)

export function usePage(): Page {
  const page = useContext(PageContext)
  if (page === null) throw new Error('There is no PageContext here.')
  return page
}

/** Return what shows a toast. */
export const useToast = (): ((text: string) => void) => usePage().toasts.show

export function useNow(): number {
  const { clock } = usePage()
  return useSyncExternalStore(clock.subscribe, clock.now)
}

export const useEmojiUse = () => useStore(usePage().emoji.state)

export const useDensity = (): Density => useStore(usePage().density.state, ({ density }) => density)

export const useTheme = (): Theme => useStore(usePage().theme.state, ({ theme }) => theme)

export const useNotifications = (): { choice: Choice; permission: NotificationPermission } =>
  useStore(usePage().notifications.state)
