import { IconButton } from '@/components/Button'
import type { SearchFilter } from '@synctalk/client/live/search'
import type { Summary } from '@synctalk/client/chat/summaries'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { Results } from './Results'
import { FilterSelect, SearchField, useSearchFilter, useSearchText } from './SearchField'

const t = lazyTexts.search

/** Search beside a conversation: hits lead to their place in it, and stay in view. */
export default function ConversationSearch({ summary, onClose }: { summary: Summary; onClose: () => void }) {
  const search = useSearchText()
  const [filter, setFilter] = useSearchFilter()
  return (
    <aside aria-label={t.inConversation} className="flex h-full flex-col bg-bg">
      <header className="flex h-14 shrink-0 items-center justify-between border-b border-border ps-4 pe-2">
        <h2 className="text-title font-semibold">{t.title}</h2>
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </header>
      <div className="flex flex-col gap-2 p-3">
        <SearchField {...search} />
        <FilterSelect filter={filter} onChange={setFilter} />
      </div>
      <Results
        q={search.q}
        filter={filter}
        conversationId={summary.id}
        linkOf={({ seq }) => `/c/${summary.id}/search?${addressOf(search.q, filter, seq)}`}
      />
    </aside>
  )
}

/** The same search, at one of its hits. */
function addressOf(q: string, filter: SearchFilter | null, seq: number): string {
  const params = new URLSearchParams({ q, at: String(seq) })
  if (filter !== null) params.set('only', filter)
  return params.toString()
}
