/** How close the rows of the list stand: chosen in the settings, kept by this browser, alike in all its tabs. */
import { createStore } from 'zustand/vanilla'

export type Density = 'comfortable' | 'compact'

const KEY = 'synctalk.density'

const stored = (): Density => (localStorage.getItem(KEY) === 'compact' ? 'compact' : 'comfortable')

export class DensityChoice {
  readonly state = createStore<{ density: Density }>(() => ({ density: stored() }))

  choose(density: Density): void {
    if (density === 'comfortable') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, density)
    this.state.setState({ density })
  }

  /** Follow other tabs. */
  start(): void {
    window.addEventListener('storage', (event) => {
      if (event.key === KEY) this.state.setState({ density: stored() })
    })
  }
}
