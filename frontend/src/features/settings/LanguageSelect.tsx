import { useStore } from 'zustand'
import { Select } from '@/components/Select'
import { usePage } from '@/lib-react/page'
import { chosenOf, LANGUAGE_NAMES, LANGUAGES } from '@/lib/text/languages'
import { lazyTexts } from '@/lib/text/lazyTexts'

const t = lazyTexts.settings

/** Each language by its own name, for whoever reads no other. */
export function LanguageSelect() {
  const { language } = usePage()
  const chosen = useStore(language.state, (state) => state.chosen)
  const ofBrowser = LANGUAGE_NAMES[chosenOf(navigator.languages)]
  return (
    <Select
      label={t.language}
      value={chosen ?? 'browser'}
      options={[
        { value: 'browser', text: t.languageOfBrowser(ofBrowser) },
        ...LANGUAGES.map((value) => ({ value, text: LANGUAGE_NAMES[value], lang: value })),
      ]}
      onChange={(value) => void language.choose(value === 'browser' ? null : value)}
      className="mt-4 max-w-sm"
    />
  )
}
