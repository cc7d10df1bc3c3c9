/** The theme: like the system, or chosen. `public/first.js` applies the same rule before the first paint. */
import { createStore } from 'zustand/vanilla'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'synctalk.theme'

function chosen(): Theme {
  const stored = localStorage.getItem(KEY)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

export class ThemeChoice {
  readonly state = createStore<{ theme: Theme }>(() => ({ theme: chosen() }))
  private readonly system = window.matchMedia('(prefers-color-scheme: dark)')

  choose(theme: Theme): void {
    if (theme === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
    this.state.setState({ theme })
    this.paint()
  }

  /** Follow the system, and other tabs. */
  start(): void {
    this.system.addEventListener('change', () => this.paint())
    window.addEventListener('storage', (event) => {
      if (event.key !== KEY) return
      this.state.setState({ theme: chosen() })
      this.paint()
    })
    this.paint()
  }

  private paint(): void {
    const { theme } = this.state.getState()
    const dark = theme === 'dark' || (theme === 'system' && this.system.matches)
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
    const background = getComputedStyle(document.documentElement).getPropertyValue('--bg-raised').trim()
    document.querySelector('meta[name="theme-color"]')?.setAttribute('content', background)
  }
}
