import type { ReactNode } from 'react'
import { texts } from '@/lib/text/texts'
import { Button } from './Button'
import { Icon, type IconName } from './Icon'

interface EmptyProps {
  icon: IconName
  title: string
  lead?: string
  children?: ReactNode
}

/** An empty state: what to do first, with the button to do it. */
export function Empty({ icon, title, lead, children }: EmptyProps) {
  return (
    <div className="flex flex-col items-center px-6 py-10 text-center">
      <span className="mb-4 flex size-14 items-center justify-center rounded-full bg-accent-soft text-accent-ink">
        <Icon name={icon} size={26} />
      </span>
      <p className="text-title font-semibold">{title}</p>
      {lead !== undefined && <p className="mt-1 max-w-80 text-meta text-text-muted">{lead}</p>}
      {children !== undefined && <div className="mt-5 w-full max-w-80">{children}</div>}
    </div>
  )
}

export function Failed({ text, onRetry }: { text: string; onRetry: () => void }) {
  return (
    <div
      role="alert"
      className="flex flex-col items-center gap-3 px-6 py-8 text-center text-meta text-text-muted"
    >
      <p>{text}</p>
      <Button onClick={onRetry}>{texts.tryAgain}</Button>
    </div>
  )
}

export const Bone = ({ className }: { className: string }) => (
  <span className={`block rounded-control bg-bg-active ${className}`} />
)

/** The shape of what comes, after a moment. */
export function Loading({ children }: { children: ReactNode }) {
  return (
    <div role="status" className="after-a-moment">
      <span className="sr-only">{texts.loading}</span>
      <div aria-hidden="true">{children}</div>
    </div>
  )
}
