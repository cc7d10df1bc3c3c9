import { Avatar } from '@/components/Avatar'
import { Icon } from '@/components/Icon'
import { timeOfDay } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { number } from '@/lib/text/inUse'
import { texts } from '@/lib/text/texts'

/** Colours of faces and of the group; as of ids, by their last characters. */
const FACES = ['0001', '0009', '0006']
const GROUP = '0008'
/** Each by one of the three, from the first to the last. */
const SENDERS = [0, 1, 2]
const HALF_PAST_NINE = new Date(2026, 4, 8, 9, 28)

const minutesLater = (minutes: number): string =>
  new Date(HALF_PAST_NINE.getTime() + minutes * 60_000).toISOString()

/** What a conversation looks like, drawn with the product's own parts; decoration for who has not seen it yet. */
export function ProductPicture() {
  const { title, names, lines } = lazyTexts.session.picture
  return (
    <div
      aria-hidden="true"
      className="mt-12 max-w-lg overflow-hidden rounded-card border border-border bg-bg shadow-float select-none [@media(height<740px)]:hidden"
    >
      <div className="flex h-13 items-center gap-3 border-b border-border px-4">
        <Avatar id={GROUP} name={title} group size={30} />
        <div className="min-w-0 flex-1">
          <p className="truncate text-meta leading-4 font-semibold">{title}</p>
          <p className="truncate text-small text-text-muted">{texts.details.membersOnline(5, 3)}</p>
        </div>
        <span className="flex gap-3 text-text-muted">
          <Icon name="bell" size={18} />
          <Icon name="search" size={18} />
        </span>
      </div>
      <div className="flex flex-col gap-3 px-4 py-4">
        {SENDERS.map((who) => (
          <div key={who} className="flex gap-3">
            <Avatar id={FACES[who] ?? ''} name={names[who] ?? ''} size={32} />
            <div className="min-w-0 flex-1">
              <p className="flex items-center gap-2 leading-5">
                <span className={`text-meta font-semibold ${who === 2 ? 'text-accent-ink' : ''}`}>
                  {names[who]}
                </span>
                <span className="figures text-small text-text-faint">{timeOfDay(minutesLater(who))}</span>
              </p>
              <p className="text-meta leading-5">{lines[who]}</p>
              {who === 0 && (
                <span className="mt-1 inline-flex h-6 items-center gap-1 rounded-full border border-accent bg-accent-soft px-2 text-small font-semibold text-accent-ink">
                  ☀️ {number(3)}
                </span>
              )}
            </div>
            {who === 2 && <Icon name="ticks" size={16} className="mt-0.5 text-accent-ink" />}
          </div>
        ))}
      </div>
    </div>
  )
}
