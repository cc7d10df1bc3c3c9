import { useConnection, useCutOff } from '@/lib-react/chat'
import { texts } from '@/lib/text/texts'

/** After so many tries it is no passing trouble any more. */
const FEW = 4

/** One line while there is no connection, gone by itself. It lies over the page, so that nothing moves. */
export function ConnectionLine() {
  const cutOff = useCutOff()
  const passing = useConnection((state) => state.state !== 'waiting' || state.attempt < FEW)
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 top-14 z-30 flex justify-center px-3 pt-1.5"
    >
      {cutOff && (
        <p className="animate-appear rounded-card bg-warn-soft px-4 py-1 text-center text-meta text-warn shadow-float">
          {navigator.onLine && passing ? texts.connection.reconnecting : texts.connection.offline}
        </p>
      )}
    </div>
  )
}
