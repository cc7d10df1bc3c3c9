import type { ReactNode } from 'react'
import { Menu, MenuItem } from '@/components/Menu'
import type { Action } from './rowAction'

interface RowMenuProps {
  trigger: ReactNode
  actions: readonly Action[]
  onClose: () => void
}

/** What else can be done with a message; open from the start, as the click that loaded it wished. */
export default function RowMenu({ trigger, actions, onClose }: RowMenuProps) {
  return (
    <Menu defaultOpen trigger={trigger} onClose={onClose}>
      {actions.map(({ icon, label, key, run }) => (
        <MenuItem key={label} icon={icon} onSelect={run}>
          <span className="flex-1">{label}</span>
          {key !== undefined && (
            <kbd aria-hidden="true" className="ps-4 text-small text-text-faint">
              {key.toUpperCase()}
            </kbd>
          )}
        </MenuItem>
      ))}
    </Menu>
  )
}
