import { isolated, Sentence } from '@/components/Sentence'
import { useChat, useTypists } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import { typistsInWords } from '@/lib/text/typists'

/** Who is typing in the conversation or the thread; always as high, so that nothing moves. */
export function TypingLine({ place }: { place: string }) {
  const ids = useTypists(place)
  const users = useChat((state) => state.users)
  const words = typistsInWords(ids.map((id) => isolated(nameOf(users[id]))))
  return (
    <div
      role="status"
      className="mx-auto h-6 w-full max-w-column px-5 text-small leading-6 text-text-muted sm:px-7"
    >
      {words !== null && (
        <p className="flex animate-appear items-center gap-2 truncate">
          <span aria-hidden="true" className="flex gap-[3px]">
            {[0, 150, 300].map((delay) => (
              <span
                key={delay}
                style={{ animationDelay: `${String(delay)}ms` }}
                className="size-[5px] animate-typing rounded-full bg-accent-ink opacity-40"
              />
            ))}
          </span>
          <Sentence text={words} />
        </p>
      )}
    </div>
  )
}
