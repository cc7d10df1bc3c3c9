import { useRef, useState, type DragEvent, type ReactNode } from 'react'
import { Icon } from '@/components/Icon'
import { texts } from '@/lib/text/texts'
import { filesIn, useAttaching } from './attaching'

interface ZoneProps {
  /** Where they are attached to what is written. */
  place: string
  /** Nothing can be sent here. */
  closed: boolean
  children: ReactNode
}

/** The conversation as a place to drop files on. */
export function DropZone({ place, closed, children }: ZoneProps) {
  const hasFiles = ({ dataTransfer }: DragEvent): boolean => !closed && dataTransfer.types.includes('Files')
  const { attach } = useAttaching(place)
  // Each element on the way fires its own pair of events.
  const depth = useRef(0)
  const [over, setOver] = useState(false)
  const move = (by: number): void => {
    depth.current = Math.max(0, depth.current + by)
    setOver(depth.current > 0)
  }
  return (
    // For the pointer alone; by keyboard files are attached with the button.
    <div
      onDragEnter={(event) => hasFiles(event) && move(1)}
      onDragLeave={(event) => hasFiles(event) && move(-1)}
      onDragOver={(event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        event.stopPropagation()
        event.dataTransfer.dropEffect = 'copy'
      }}
      onDrop={(event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        depth.current = 0
        setOver(false)
        attach(filesIn(event.dataTransfer))
      }}
      className="relative flex min-h-0 flex-1 flex-col"
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-2 z-20 flex animate-appear flex-col items-center justify-center gap-2 rounded-card border-2 border-dashed border-accent bg-bg/90 text-title font-semibold text-accent-ink">
          <Icon name="attach" size={28} />
          {texts.files.drop}
        </div>
      )}
    </div>
  )
}
