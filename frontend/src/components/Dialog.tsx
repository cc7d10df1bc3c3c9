import { Dialog as Radix } from 'radix-ui'
import { useRef, type ReactNode } from 'react'
import { texts } from '@/lib/text/texts'
import { ancestorsOf, returnFocus } from './focus'
import { Button, IconButton } from './Button'

/**
 * The focus goes to the field marked `data-autofocus`, else to the first that takes it, and back to where it came from.
 * React's own `autoFocus` would be too early: the way back would be lost.
 */
export function useFocusWays() {
  const cameFrom = useRef<HTMLElement[]>([])
  return {
    onOpenAutoFocus(event: Event): void {
      if (document.activeElement instanceof HTMLElement)
        cameFrom.current = ancestorsOf(document.activeElement)
      const marked = (event.target as HTMLElement).querySelector<HTMLElement>('[data-autofocus]')
      if (marked === null) return
      event.preventDefault()
      marked.focus()
    },
    onCloseAutoFocus(event: Event): void {
      event.preventDefault()
      const [from = document.body] = cameFrom.current
      returnFocus(from, cameFrom.current)
    },
  }
}

interface DialogProps {
  title: string
  onClose: () => void
  children: ReactNode
  /** Shown left of the title, for a step back. */
  lead?: ReactNode
  /** For dialogs whose first field is their title. */
  hideTitle?: boolean
  wide?: boolean
}

/** A dialog on wide screens, the whole view on phones. Focus goes in, stays in, and back to where it came from. */
export function Dialog({ title, onClose, children, lead, hideTitle = false, wide = false }: DialogProps) {
  const focus = useFocusWays()
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-shade" />
        <Radix.Content
          aria-describedby={undefined}
          {...focus}
          className={`fixed inset-0 z-50 flex flex-col bg-bg-float [--surface:var(--bg-float)] outline-none sm:inset-x-4 sm:top-[12vh] sm:bottom-auto sm:mx-auto sm:max-h-[76vh] sm:animate-rise sm:rounded-card sm:shadow-float ${wide ? 'sm:max-w-xl' : 'sm:max-w-md'}`}
        >
          {hideTitle ? (
            <Radix.Title className="sr-only">{title}</Radix.Title>
          ) : (
            <header className="flex min-h-14 items-center gap-2 border-b border-border ps-4 pe-2">
              {lead}
              <Radix.Title className="min-w-0 flex-1 truncate text-title font-semibold">{title}</Radix.Title>
              <Radix.Close asChild>
                <IconButton icon="close" label={texts.close} />
              </Radix.Close>
            </header>
          )}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

interface ConfirmProps {
  question: string
  /** What it is about, in one line. */
  children?: ReactNode
  action: string
  onConfirm: () => void
  onClose: () => void
}

/** Before what cannot be taken back. */
export function Confirm({ question, action, onConfirm, onClose, children }: ConfirmProps) {
  const focus = useFocusWays()
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-shade" />
        <Radix.Content
          role="alertdialog"
          aria-describedby={undefined}
          {...focus}
          className="fixed inset-x-4 top-[28vh] z-50 mx-auto max-w-sm animate-rise rounded-card bg-bg-float p-5 shadow-float outline-none"
        >
          <Radix.Title className="text-message font-medium">{question}</Radix.Title>
          {children !== undefined && (
            <div className="mt-3 flex min-w-0 border-s-2 border-border-strong ps-3 text-meta text-text-muted">
              {children}
            </div>
          )}
          <div className="mt-5 flex justify-end gap-2">
            <Radix.Close asChild>
              <Button>{texts.cancel}</Button>
            </Radix.Close>
            <Button
              look="final"
              onClick={() => {
                onConfirm()
                onClose()
              }}
            >
              {action}
            </Button>
          </div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
