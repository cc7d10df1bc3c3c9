/** Views that make queries are loaded together with what answers them, so that the first load is without it. */
import type { QueryClient } from '@tanstack/react-query'
import { createContext, useContext, type ComponentType, type LazyExoticComponent } from 'react'
import { lazily, type Part } from './lazily'

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

export const loadQueries = () => import('./queries')

export const lazilyAsking = <P>(load: () => Promise<Part<P>>): LazyExoticComponent<ComponentType<P>> =>
  lazily(async () => {
    const [view, { withQueries }] = await Promise.all([load(), loadQueries()])
    return { default: withQueries(view.default) }
  })
