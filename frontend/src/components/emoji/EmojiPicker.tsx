import { EmojiPicker as Picker, type EmojiPickerListComponents, type Locale } from 'frimousse'
import { useEffect, useRef } from 'react'
import { useLanguage } from '@/lib-react/language'
import { useEmojiUse, usePage } from '@/lib-react/page'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { loadEmoji, pickerData } from './data'

const t = lazyTexts.emoji

const LIST: Partial<EmojiPickerListComponents> = {
  CategoryHeader: ({ category, ...props }) => (
    <div {...props} className="bg-bg-float px-3 pt-2 pb-1 text-small font-semibold text-text-muted">
      {category.label}
    </div>
  ),
  // ARIA counts from one.
  Row: ({ children, 'aria-rowindex': row = 0, ...props }) => (
    <div {...props} aria-rowindex={row + 1} className="px-2">
      {children}
    </div>
  ),
  Emoji: ({ emoji, 'aria-colindex': column = 0, ...props }) => (
    <button
      type="button"
      {...props}
      role="gridcell"
      aria-colindex={column + 1}
      className="flex size-9 items-center justify-center rounded-control text-[22px] leading-none data-active:bg-bg-active pointer-coarse:size-11"
    >
      {emoji.emoji}
    </button>
  ),
}

/** All emoji, with search, the latest ones and skin tones; by arrow keys and Enter, or by pointer. */
export default function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { emoji: use } = usePage()
  const { recent, skinTone } = useEmojiUse()
  const language = useLanguage() as Locale
  const search = useRef<HTMLInputElement>(null)
  // One types at once; on touch screens the keyboard would cover what one came to look at.
  useEffect(() => {
    if (window.matchMedia('(pointer: fine)').matches) search.current?.focus({ preventScroll: true })
  }, [])

  function pick(emoji: string): void {
    use.note(emoji)
    onPick(emoji)
  }

  return (
    <Picker.Root
      columns={8}
      locale={language}
      skinTone={skinTone}
      resolveEmojiData={async () => pickerData(await loadEmoji())}
      onEmojiSelect={({ emoji }) => pick(emoji)}
      className="isolate flex h-[368px] max-h-[60vh] w-full flex-col bg-bg-float"
    >
      <div className="flex items-center gap-2 p-2 pb-1">
        <Picker.Search
          ref={search}
          aria-label={t.search}
          placeholder={t.search}
          className="h-9 min-w-0 flex-1 rounded-control border border-border-strong bg-bg px-3 text-meta pointer-coarse:h-11"
        />
        <Picker.SkinTone emoji="✋">
          {({ skinToneVariations }) => (
            <select
              aria-label={t.skinTone}
              title={t.skinTone}
              value={skinTone}
              onChange={(event) => use.chooseSkinTone(event.target.value as typeof skinTone)}
              className="h-9 rounded-control border border-border-strong bg-bg px-1 text-message pointer-coarse:h-11"
            >
              {skinToneVariations.map((one) => (
                <option key={one.skinTone} value={one.skinTone} aria-label={t.skinTones[one.skinTone]}>
                  {one.emoji}
                </option>
              ))}
            </select>
          )}
        </Picker.SkinTone>
      </div>
      <div role="group" aria-label={t.recent} className="flex gap-0 overflow-hidden px-2 pb-1">
        {recent.slice(0, 8).map((emoji) => (
          <button
            key={emoji}
            type="button"
            aria-label={emoji}
            onClick={() => pick(emoji)}
            className="flex size-9 shrink-0 items-center justify-center rounded-control text-[22px] leading-none -outline-offset-2 hover:bg-bg-active"
          >
            {emoji}
          </button>
        ))}
      </div>
      <Picker.Viewport className="relative min-h-0 flex-1 border-t border-border outline-none">
        <Picker.Loading className="absolute inset-0 flex items-center justify-center text-meta text-text-muted">
          {texts.loading}…
        </Picker.Loading>
        <Picker.Empty className="absolute inset-0 flex items-center justify-center text-meta text-text-muted">
          {t.nothing}
        </Picker.Empty>
        <Picker.List className="pb-2 select-none" components={LIST} />
      </Picker.Viewport>
    </Picker.Root>
  )
}
