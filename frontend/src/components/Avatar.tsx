import { useState, type CSSProperties } from 'react'
import type { PresenceStatus } from '@synctalk/client/contracts'
import { Icon } from './Icon'
import { PresenceDot } from './PresenceDot'

const HUES = 12

/** The last characters of an id are its random part. */
const hueOf = (id: string): number => (parseInt(id.slice(-4), 16) || 0) % HUES

const EMOJI = /\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic})*/u
/** Arabic letters stay apart, as initials do. */
const APART = '\u200C'

/** The first letters of the first and the last word. Of a group those of its title, or an emoji in it; '': it has neither. */
function initialsOf(name: string, group: boolean): string {
  if (group) {
    const emoji = EMOJI.exec(name)
    if (emoji !== null) return emoji[0]
  }
  const all = name.trim().split(/\s+/)
  const words = group ? all.filter((word) => /^[\p{L}\p{N}]/u.test(word)) : all
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => [...(word ?? '')][0] ?? '',
  )
  return letters.join(/\p{Script=Arabic}/u.test(name) ? APART : '').toLocaleUpperCase()
}

/** Encrypted, or of our own origin. */
const SAFE = /^(?:https:\/\/|\/(?![/\\]))/

interface AvatarProps {
  id: string
  name: string
  url?: string | null
  size?: number
  group?: boolean
  status?: PresenceStatus | undefined
  className?: string
}

/** A picture, else initials on a colour that comes from the id. Decoration: the name stands beside it. */
export function Avatar({ id, name, url, size = 40, group = false, status, className = '' }: AvatarProps) {
  const [broken, setBroken] = useState<string | null>(null)
  const initials = initialsOf(name, group)
  const safe = url != null && SAFE.test(url) && broken !== url ? url : null
  const style = {
    width: size,
    height: size,
    fontSize: Math.round(size * 0.38),
    '--hue': hueOf(id),
  } as CSSProperties
  return (
    <span
      className={`relative inline-block shrink-0 select-none ${className}`}
      style={{ width: size, height: size }}
    >
      <span
        aria-hidden="true"
        style={style}
        className={`avatar flex items-center justify-center overflow-hidden font-semibold ${group ? 'rounded-card' : 'rounded-full'}`}
      >
        {safe !== null ? (
          <img src={safe} alt="" className="size-full object-cover" onError={() => setBroken(safe)} />
        ) : initials === '' ? (
          <Icon name="group" size={Math.round(size * 0.55)} />
        ) : (
          initials
        )}
      </span>
      {status !== undefined && status !== 'offline' && (
        <PresenceDot status={status} className="absolute -end-0.5 -bottom-0.5" />
      )}
    </span>
  )
}
