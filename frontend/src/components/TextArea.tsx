import { useId, type ComponentProps } from 'react'

interface TextAreaProps extends ComponentProps<'textarea'> {
  label: string
  hint?: string | undefined
  problem?: string | null | undefined
}

/** A labelled field of several lines. */
export function TextArea({ label, hint, problem, className = '', ...field }: TextAreaProps) {
  const id = useId()
  const below = [problem != null && `${id}-problem`, hint !== undefined && `${id}-hint`].filter(Boolean)
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-meta font-medium">
        {label}
      </label>
      <textarea
        dir="auto"
        rows={3}
        {...field}
        id={id}
        aria-invalid={problem != null || undefined}
        aria-describedby={below.length === 0 ? undefined : below.join(' ')}
        className={`block w-full resize-y rounded-control border bg-bg px-3 py-2 text-message transition-colors duration-150 ${problem == null ? 'border-border-strong hover:border-text-muted focus:border-focus' : 'border-danger'}`}
      />
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
