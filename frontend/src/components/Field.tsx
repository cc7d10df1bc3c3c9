import { useEffect, useId, useRef, type ComponentProps, type ReactNode, type RefObject } from 'react'

interface FieldProps extends ComponentProps<'input'> {
  label: string
  hint?: string | undefined
  problem?: string | null | undefined
  /** Beside the label: "optional". */
  note?: string
  /** Inside the field, at its end. */
  trailing?: ReactNode
}

/** A labelled text field. A problem is shown below it, beside the hint that explains how to fix it. */
export function Field({ label, hint, problem, note, trailing, className = '', ...input }: FieldProps) {
  const id = useId()
  const below = [problem != null && `${id}-problem`, hint !== undefined && `${id}-hint`].filter(Boolean)
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 flex items-baseline justify-between text-meta font-medium">
        {label}
        {note !== undefined && <span className="font-normal text-text-faint">{note}</span>}
      </label>
      <div className="relative">
        <input
          {...input}
          id={id}
          aria-invalid={problem != null || undefined}
          aria-describedby={below.length === 0 ? undefined : below.join(' ')}
          className={`h-10 w-full rounded-control border bg-bg px-3 text-message transition-colors duration-150 pointer-coarse:h-11 ${trailing === undefined ? '' : 'pe-11'} ${problem == null ? 'border-border-strong hover:border-text-muted focus:border-focus' : 'border-danger'}`}
        />
        {trailing !== undefined && (
          <div className="absolute inset-y-0 end-0.5 flex items-center">{trailing}</div>
        )}
      </div>
      {problem != null && (
        <p id={`${id}-problem`} className="mt-1 text-meta text-danger">
          {problem}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1 text-meta text-text-faint">
          {hint}
        </p>
      )}
    </div>
  )
}

/** Whenever there are new problems, the first field that has one takes the focus. */
export function useFirstProblem(problems: unknown): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (form.current?.contains(document.activeElement) === true || document.activeElement === document.body)
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [problems])
  return form
}

/** What went wrong with the whole of it, beside what failed. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="rounded-control bg-danger-soft px-3 py-2 text-meta text-danger">
      {children}
    </p>
  )
}
