import { beforeEach, expect, test, vi } from 'vitest'
import { isColor } from './colors'

// jsdom knows no colours: the browser's part is tried in a browser.
beforeEach(() => vi.stubGlobal('CSS', { supports: () => true }))

test.each(['#5148cf', 'rebeccapurple', 'rgb(1 2 3 / 50%)', 'color-mix(in oklab, red, blue)'])(
  '%s',
  (color) => {
    expect(isColor(color)).toBe(true)
  },
)

test.each(['var(--x)', 'color-mix(in oklab, VAR(--x), red)', 'url(https://a)', 'inherit', 'Unset', 'env(x)'])(
  '%s is refused',
  (color) => {
    expect(isColor(color)).toBe(false)
  },
)
