import { useId } from 'react'

interface SelectProps<T extends string> {
  label: string
  value: T
  options: readonly { value: T; text: string; lang?: string }[]
  onChange: (value: T) => void
  hint?: string | undefined
  disabled?: boolean
  className?: string
}

/** A labelled choice of one among several, by the browser's own list. */
export function Select<T extends string>(props: SelectProps<T>) {
  const { label, value, options, onChange, hint, disabled = false, className = '' } = props
  const id = useId()
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-meta font-medium">
        {label}
      </label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.value as T)}
        className="h-10 w-full rounded-control border border-border-strong bg-bg px-2 text-message disabled:opacity-60 pointer-coarse:h-11"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} lang={option.lang}>
            {option.text}
          </option>
        ))}
      </select>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1 text-meta text-text-faint">
          {hint}
        </p>
      )}
    </div>
  )
}
