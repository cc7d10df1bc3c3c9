/** The colours that a page may choose, by name, with the variables of ours that follow each. */
export const COLORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  accent: {
    '--accent': '*',
    '--accent-hover': 'color-mix(in oklab, *, black 12%)',
    '--accent-ink': '*',
    '--accent-soft': 'color-mix(in oklab, *, var(--bg) 88%)',
    '--focus': '*',
  },
  'accent-text': { '--accent-text': '*' },
  background: { '--bg': '*', '--bg-float': '*' },
  surface: { '--bg-raised': '*' },
  text: { '--text': '*' },
  border: { '--border': '*' },
}

/** A function that names something else than a colour, or a word that means whatever is around it. */
const ELSEWHERE = /\b(var|env|attr|url)\(|^(inherit|initial|unset|revert|revert-layer)$/i

export const isColor = (value: string): boolean => CSS.supports('color', value) && !ELSEWHERE.test(value)
