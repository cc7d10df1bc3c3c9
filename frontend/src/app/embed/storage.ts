/** Where a browser forbids frames of other origins to store anything, what would be kept lives as long as the frame. */
export function keepStorage(): void {
  try {
    window.localStorage.getItem('')
  } catch {
    Object.defineProperty(window, 'localStorage', { value: inMemory() })
  }
}

function inMemory(): Storage {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    clear: () => items.clear(),
    getItem: (key) => items.get(key) ?? null,
    key: (index) => [...items.keys()][index] ?? null,
    removeItem: (key) => void items.delete(key),
    setItem: (key, value) => void items.set(key, value),
  }
}
