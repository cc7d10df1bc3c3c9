/** The theme: like the system, or chosen. `public/theme.js` applies the same rule before the first paint. */
import { create } from 'zustand'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'synctalk.theme'
const system = window.matchMedia('(prefers-color-scheme: dark)')

const chosen = (): Theme => {
  const stored = localStorage.getItem(KEY)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

export const useTheme = create<{ theme: Theme }>(() => ({ theme: chosen() }))

function paint(): void {
  const { theme } = useTheme.getState()
  const dark = theme === 'dark' || (theme === 'system' && system.matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  const background = getComputedStyle(document.documentElement).getPropertyValue('--bg-raised').trim()
  document.querySelector('meta[name="theme-color"]')?.setAttribute('content', background)
}

export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(KEY)
  else localStorage.setItem(KEY, theme)
  useTheme.setState({ theme })
  paint()
}

/** Follow the system, and other tabs. */
export function startTheme(): void {
  system.addEventListener('change', paint)
  window.addEventListener('storage', (event) => {
    if (event.key !== KEY) return
    useTheme.setState({ theme: chosen() })
    paint()
  })
  paint()
}
