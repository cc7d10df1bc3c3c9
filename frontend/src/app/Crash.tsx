import { Component, type ReactNode } from 'react'
import { Button } from '@/components/Button'
import { Empty } from '@/components/States'
import { texts } from '@/lib/text/texts'

/** What is left when a view has thrown: a sentence, and the way out. */
export class Crash extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false }

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true }
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children
    return (
      <main className="flex h-dvh items-center justify-center">
        <Empty icon="alert" title={texts.pageBroke}>
          <Button look="primary" onClick={() => window.location.assign('/')}>
            {texts.reload}
          </Button>
        </Empty>
      </main>
    )
  }
}
