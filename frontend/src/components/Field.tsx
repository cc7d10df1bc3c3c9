import { useId, type ComponentProps, type ReactNode } from 'react'

interface FieldProps extends ComponentProps<'input'> {
  label: string
  hint?: string | undefined
  problem?: string | null | undefined
  /** Beside the label: "optional". */
  note?: string
  /** Inside the field, at its end. */
  trailing?: ReactNode
}

/** A labelled line of text. Its problem stands beneath it, in place of the hint, so nothing moves. */
export function Field({ label, hint, problem, note, trailing, className = '', ...input }: FieldProps) {
  const id = useId()
  const below = problem ?? hint
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
          aria-describedby={below === undefined ? undefined : `${id}-below`}
          className={`h-10 w-full rounded-control border bg-bg px-3 text-message transition-colors duration-150 pointer-coarse:h-11 ${trailing === undefined ? '' : 'pe-11'} ${problem == null ? 'border-border hover:border-border-strong focus:border-focus' : 'border-danger'}`}
        />
        {trailing !== undefined && (
          <div className="absolute inset-y-0 end-0.5 flex items-center">{trailing}</div>
        )}
      </div>
      {below !== undefined && (
        <p
          id={`${id}-below`}
          className={`mt-1 min-h-[18px] text-meta ${problem == null ? 'text-text-faint' : 'text-danger'}`}
        >
          {below}
        </p>
      )}
    </div>
  )
}

/** What went wrong with the whole of it, beside what failed. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="rounded-control bg-danger-soft px-3 py-2 text-meta text-danger">
      {children}
    </p>
  )
}
