import type { ComponentProps } from 'react'
import { Icon, type IconName } from './Icon'

/** `final`: does what cannot be taken back. */
type Look = 'primary' | 'plain' | 'quiet' | 'danger' | 'final'

const LOOKS: Record<Look, string> = {
  primary: 'bg-accent text-accent-text hover:bg-accent-hover disabled:hover:bg-accent',
  plain: 'border border-border bg-bg text-text hover:bg-bg-hover',
  quiet: 'text-text-muted hover:bg-bg-hover hover:text-text',
  danger: 'border border-border text-danger hover:bg-danger-soft',
  final: 'bg-danger text-bg hover:opacity-90',
}

interface ButtonProps extends ComponentProps<'button'> {
  look?: Look
  busy?: boolean
}

export function Button({
  look = 'plain',
  busy = false,
  className = '',
  disabled,
  onClick,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled}
      // A busy button keeps the focus, and does nothing.
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={`inline-flex min-h-9 items-center justify-center gap-2 rounded-control px-3.5 text-meta font-medium transition-colors duration-150 disabled:cursor-default disabled:opacity-60 aria-disabled:cursor-default aria-disabled:opacity-60 pointer-coarse:min-h-11 ${LOOKS[look]} ${className}`}
    >
      {children}
    </button>
  )
}

interface IconButtonProps extends ComponentProps<'button'> {
  icon: IconName
  label: string
  size?: number
}

/** A button of an icon alone; its label is read out, and shown on hover. */
export function IconButton({ icon, label, size = 20, className = '', ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      {...rest}
      aria-label={label}
      className={`inline-flex size-9 shrink-0 items-center justify-center rounded-control text-text-muted transition-colors duration-150 hover:bg-bg-hover hover:text-text disabled:cursor-default disabled:opacity-50 aria-pressed:bg-bg-active aria-pressed:text-text pointer-coarse:size-11 ${className}`}
    >
      <Icon name={icon} size={size} />
    </button>
  )
}
