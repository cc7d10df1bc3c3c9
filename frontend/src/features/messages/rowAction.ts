import type { IconName } from '@/components/Icon'

/** What can be done with a message. */
export interface Action {
  icon: IconName
  label: string
  /** Does it while the message has the focus. */
  key?: string
  /** It stands in the menu, as it is done less often. */
  more?: true
  run: () => void
}
