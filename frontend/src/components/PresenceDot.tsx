import type { PresenceStatus } from '@synctalk/client/contracts'
import { texts } from '@/lib/text/texts'

/** States differ by shape as well as by colour: full, half moon, bar, ring. The ring around is the surface's colour. */
export function PresenceDot({ status, className = '' }: { status: PresenceStatus; className?: string }) {
  return (
    <svg
      role="img"
      aria-label={texts.presence[status]}
      width="14"
      height="14"
      viewBox="0 0 14 14"
      className={`shrink-0 ${className}`}
    >
      <circle cx="7" cy="7" r="7" className="fill-(--surface,var(--bg))" />
      {status === 'online' && <circle cx="7" cy="7" r="4.5" className="fill-ok" />}
      {status === 'away' && (
        <path
          d="M9.800 10.500A4.500 4.500 0 1 1 7.500 2.600a3.600 3.600 0 0 0 2.300 7.900z"
          className="fill-warn"
        />
      )}
      {status === 'dnd' && (
        <>
          <circle cx="7" cy="7" r="4.500" className="fill-danger" />
          <path
            d="M4.800 7h4.400"
            strokeWidth="1.800"
            strokeLinecap="round"
            className="stroke-(--surface,var(--bg))"
          />
        </>
      )}
      {status === 'offline' && (
        <circle cx="7" cy="7" r="3.700" fill="none" strokeWidth="1.600" className="stroke-text-faint" />
      )}
    </svg>
  )
}
