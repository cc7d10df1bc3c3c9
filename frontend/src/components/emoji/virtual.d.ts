declare module 'virtual:emoji/*' {
  type Category =
    | 'smileys-emotion'
    | 'people-body'
    | 'animals-nature'
    | 'food-drink'
    | 'travel-places'
    | 'activities'
    | 'objects'
    | 'symbols'
    | 'flags'
  /** An emoji, its label, category, shortcodes, tags, and its five skin tones, if it has any. */
  type Row = [string, string, number, string[], string[], string[]]
  const data: { categories: [number, Category][]; emojis: Row[] }
  export default data
}
