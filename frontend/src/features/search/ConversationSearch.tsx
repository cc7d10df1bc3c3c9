import { IconButton } from '@/components/Button'
import type { Summary } from '@/lib/chat/summaries'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { Results } from './Results'
import { SearchField, useSearchText } from './SearchField'

const t = lazyTexts.search

/** Search beside a conversation: hits lead to their place in it, and stay in view. */
export default function ConversationSearch({ summary, onClose }: { summary: Summary; onClose: () => void }) {
  const search = useSearchText()
  return (
    <aside aria-label={t.inConversation} className="flex h-full flex-col bg-bg">
      <header className="flex h-14 shrink-0 items-center justify-between border-b border-border ps-4 pe-2">
        <h2 className="text-title font-semibold">{t.title}</h2>
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </header>
      <div className="p-3">
        <SearchField {...search} />
      </div>
      <Results
        q={search.q}
        conversationId={summary.id}
        linkOf={({ seq }) => `/c/${summary.id}/search?q=${encodeURIComponent(search.q)}&at=${String(seq)}`}
      />
    </aside>
  )
}
