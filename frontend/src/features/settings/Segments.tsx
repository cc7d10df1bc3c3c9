interface SegmentsProps<T extends string> {
  /** Of the radio buttons, within the page. */
  name: string
  label: string
  value: T
  options: readonly { value: T; text: string }[]
  onChange: (value: T) => void
  className?: string
}

/** One of a few, all of them in sight. */
export function Segments<T extends string>({
  name,
  label,
  value,
  options,
  onChange,
  className = '',
}: SegmentsProps<T>) {
  return (
    <fieldset className={className}>
      <legend className="mb-1 text-meta font-medium">{label}</legend>
      <div className="inline-flex rounded-card border border-border bg-bg-raised p-1">
        {options.map((option) => (
          <label
            key={option.value}
            className="relative flex min-h-9 cursor-pointer items-center rounded-control px-4 text-meta font-medium text-text-muted transition-colors duration-150 has-checked:bg-bg-float has-checked:text-text has-checked:ring-1 has-checked:ring-border has-focus-visible:outline-2 has-focus-visible:outline-focus pointer-coarse:min-h-11"
          >
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={value === option.value}
              onChange={() => onChange(option.value)}
              className="absolute inset-0 cursor-pointer opacity-0"
            />
            {option.text}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
