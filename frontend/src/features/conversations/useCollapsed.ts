import { useState } from 'react'
import { SECTIONS, type SectionName } from '@synctalk/client/chat/sections'

const KEY = 'synctalk.collapsed'
/** Who hides a conversation does not want to see it. */
const USUAL: readonly SectionName[] = ['hidden']

function read(): ReadonlySet<SectionName> {
  const stored = localStorage.getItem(KEY)?.split(' ')
  return new Set(stored === undefined ? USUAL : SECTIONS.filter((name) => stored.includes(name)))
}

/** Which sections of the list are collapsed, kept on this device. */
export function useCollapsed(): [ReadonlySet<SectionName>, (name: SectionName) => void] {
  const [collapsed, setCollapsed] = useState(read)
  function toggle(name: SectionName): void {
    const next = new Set(collapsed)
    if (!next.delete(name)) next.add(name)
    localStorage.setItem(KEY, [...next].join(' '))
    setCollapsed(next)
  }
  return [collapsed, toggle]
}
