import { useSearchParams } from 'react-router'
import { PageHead } from '@/components/PageHead'
import { useConversations } from '@/lib-react/chat'
import { titleOf } from '@/lib/chat/names'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { Results } from './Results'
import { FilterSelect, SearchField, useSearchFilter, useSearchText } from './SearchField'

const t = lazyTexts.search

/** Search in all conversations, or in one that is chosen. What is searched for is in the address. */
export default function SearchPage() {
  const search = useSearchText()
  const [filter, setFilter] = useSearchFilter()
  const [params, setParams] = useSearchParams()
  const conversations = useConversations()
  const within = params.get('in')
  return (
    <div className="flex h-full flex-col">
      <PageHead title={t.title} />
      <div className="mx-auto flex w-full max-w-3xl flex-wrap gap-2 px-4 pt-4 pb-2 md:px-6">
        <div className="min-w-60 flex-1">
          <SearchField {...search} />
        </div>
        <select
          aria-label={t.where}
          value={within ?? ''}
          onChange={({ target }) =>
            setParams(
              (before) => {
                if (target.value === '') before.delete('in')
                else before.set('in', target.value)
                return before
              },
              { replace: true },
            )
          }
          className="h-10 max-w-60 rounded-control border border-border-strong bg-bg px-2 text-meta pointer-coarse:h-11"
        >
          <option value="">{t.everywhere}</option>
          {conversations.map((summary) => (
            <option key={summary.id} value={summary.id}>
              {titleOf(summary)}
            </option>
          ))}
        </select>
        <FilterSelect filter={filter} onChange={setFilter} />
      </div>
      <Results
        q={search.q}
        filter={filter}
        conversationId={within}
        linkOf={({ conversation_id, seq }) => `/c/${conversation_id}?at=${String(seq)}`}
      />
    </div>
  )
}
