declare module 'virtual:emoji' {
  /** An emoji, its label, category, shortcodes, tags, and its five skin tones, if it has any. */
  type Row = [string, string, number, string[], string[], string[]]
  const data: { categories: [number, string][]; emojis: Row[] }
  export default data
}
