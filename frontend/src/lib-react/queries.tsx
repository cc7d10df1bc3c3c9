/** Provides queries to the views that make them; loaded with the first of these. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useState, type ComponentType, type JSX } from 'react'
import { isPassing } from '@synctalk/client/errors'
import { useQueryBox } from './queryBox'

const MAX_RETRIES = 3

const newQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => isPassing(error) && failures < MAX_RETRIES,
        refetchOnWindowFocus: false,
      },
    },
  })

export function withQueries<P>(View: ComponentType<P>): ComponentType<P> {
  return function Asking(props: P) {
    const box = useQueryBox()
    const [client] = useState(() => box.get(newQueries))
    return (
      <QueryClientProvider client={client}>
        <View {...(props as P & JSX.IntrinsicAttributes)} />
      </QueryClientProvider>
    )
  }
}
