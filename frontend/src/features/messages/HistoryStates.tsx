import { Bone, Failed, Loading } from '@/components/States'
import { texts } from '@/lib/text/texts'

interface StatesProps {
  empty: boolean
  failed: boolean
  onRetry: () => void
}

/** Over the history: that it is on its way, or could not be loaded. */
export function HistoryStates({ empty, failed, onRetry }: StatesProps) {
  if (failed) {
    return (
      <div className={`absolute inset-x-0 top-0 flex justify-center ${empty ? 'bottom-0 items-center' : ''}`}>
        <div className="rounded-card bg-bg">
          <Failed text={texts.messages.couldNotLoad} onRetry={onRetry} />
        </div>
      </div>
    )
  }
  if (!empty) return null
  return (
    <div className="absolute inset-x-0 bottom-0 overflow-hidden">
      <Loading>
        <Skeleton />
      </Loading>
    </div>
  )
}

const Skeleton = () => (
  <div className="mx-auto max-w-column px-4 pb-4">
    {[70, 45, 60, 82].map((width) => (
      <div key={width} className="flex gap-3 py-2.5">
        <Bone className="size-10 shrink-0 rounded-full!" />
        <div className="flex-1">
          <Bone className="h-3.5 w-28" />
          <div style={{ width: `${String(width)}%` }}>
            <Bone className="mt-2 h-3.5 w-full" />
          </div>
        </div>
      </div>
    ))}
  </div>
)
