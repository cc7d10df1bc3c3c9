import { DropdownMenu as Radix } from 'radix-ui'
import { createContext, useContext, useCallback, useRef, type ReactNode } from 'react'
import { Icon, type IconName } from './Icon'
import { useLanguage } from '@/lib-react/language'
import { directionOf } from '@/lib/text/languages'

interface MenuProps {
  trigger: ReactNode
  children: ReactNode
  align?: 'start' | 'end'
  defaultOpen?: boolean
  /** Once it is gone and the focus is back. */
  onClose?: () => void
}

/** What was chosen happens once the menu is gone and the focus is back: what opens then knows where to return it. */
const Chosen = createContext<(run: () => void) => void>(() => undefined)

/** A menu that hangs from its trigger. Not modal: what lies behind stays usable. */
export function Menu({ trigger, children, align = 'end', defaultOpen = false, onClose }: MenuProps) {
  const chosen = useRef<(() => void) | null>(null)
  const choose = useCallback((run: () => void) => {
    chosen.current = run
  }, [])
  return (
    <Radix.Root modal={false} defaultOpen={defaultOpen} dir={directionOf(useLanguage())}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      {/* Inside the landmark, so that who goes by landmarks finds it. */}
      <Radix.Portal container={document.querySelector('main')}>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          onCloseAutoFocus={() => {
            const run = chosen.current
            chosen.current = null
            if (run === null && onClose === undefined) return
            setTimeout(() => {
              run?.()
              onClose?.()
            })
          }}
          className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-52 animate-appear overflow-y-auto rounded-card bg-bg-float p-1.5 shadow-float [--surface:var(--bg-float)]"
        >
          <Chosen value={choose}>{children}</Chosen>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

const ROW =
  'flex min-h-9 cursor-pointer items-center gap-2.5 rounded-control px-2.5 text-meta outline-none data-highlighted:bg-bg-hover data-disabled:opacity-50 pointer-coarse:min-h-11'

interface MenuItemProps {
  onSelect: () => void
  icon?: IconName
  danger?: boolean
  children: ReactNode
}

export function MenuItem({ onSelect, icon, danger = false, children }: MenuItemProps) {
  const choose = useContext(Chosen)
  return (
    <Radix.Item
      onSelect={() => choose(onSelect)}
      className={`${ROW} ${danger ? 'text-danger' : 'text-text'}`}
    >
      {icon !== undefined && <Icon name={icon} size={18} className={danger ? '' : 'text-text-muted'} />}
      {children}
    </Radix.Item>
  )
}

interface MenuChoiceProps<T extends string> {
  label: string
  value: T
  options: readonly { value: T; text: string; lead?: ReactNode }[]
  onChange: (value: T) => void
}

export function MenuChoice<T extends string>({ label, value, options, onChange }: MenuChoiceProps<T>) {
  return (
    <Radix.RadioGroup value={value} onValueChange={(next) => onChange(next as T)} aria-label={label}>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} className={`${ROW} text-text`}>
          {option.lead}
          <span className="flex-1">{option.text}</span>
          <Radix.ItemIndicator>
            <Icon name="check" size={16} className="text-accent-ink" />
          </Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  )
}

export const MenuLine = () => <Radix.Separator className="mx-1 my-1.5 h-px bg-border" />
