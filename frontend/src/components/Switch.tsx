import { useId } from 'react'

interface SwitchProps {
  label: string
  lead?: string
  on: boolean
  disabled?: boolean
  onChange: (on: boolean) => void
  className?: string
}

/** On or off; the whole line takes the click. */
export function Switch({ label, lead, on, disabled = false, onChange, className = '' }: SwitchProps) {
  const id = useId()
  return (
    <label
      className={`flex min-h-11 cursor-pointer items-center gap-4 has-disabled:cursor-default has-disabled:opacity-60 ${className}`}
    >
      <span className="min-w-0 flex-1">
        <span id={id} className="block text-meta font-medium">
          {label}
        </span>
        {lead !== undefined && (
          <span id={`${id}-lead`} className="block text-meta text-text-muted">
            {lead}
          </span>
        )}
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={on}
        disabled={disabled}
        aria-labelledby={id}
        aria-describedby={lead === undefined ? undefined : `${id}-lead`}
        onChange={(event) => onChange(event.target.checked)}
        className="switch shrink-0 cursor-pointer disabled:cursor-default"
      />
    </label>
  )
}
