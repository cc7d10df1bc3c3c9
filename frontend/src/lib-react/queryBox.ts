import type { QueryClient } from '@tanstack/react-query'
import { createContext, useContext } from 'react'

/** What the queries of one session have in common; made by the first view that asks. */
export class QueryBox {
  private client: QueryClient | null = null

  get(make: () => QueryClient): QueryClient {
    this.client ??= make()
    return this.client
  }
}

export const QueryBoxContext = createContext<QueryBox | null>(null)

export function useQueryBox(): QueryBox {
  const box = useContext(QueryBoxContext)
  if (box === null) throw new Error('There is no QueryBoxContext here.')
  return box
}
